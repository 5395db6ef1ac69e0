"""Logging in and being known."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from controlplane.auth import callers, service_tokens
from controlplane.auth import queries as auth_queries
from controlplane.auth.actor import system
from controlplane.auth.permissions import Permission, Role
from controlplane.auth.tokens import Claims
from controlplane.errors import ConfigurationError
from controlplane.users import queries
from tests.controlplane.conftest import PASSWORD, Login, Service, Sessions

UNKNOWN = UUID(int=0)


async def test_a_password_buys_a_token(anonymous: AsyncClient, log_in: Login) -> None:
    """The token of a login says who one is and what one may do."""
    await log_in(Role.VIEWER)
    response = await anonymous.post(
        "/api/v1/auth/login", json={"name": "viewer", "password": PASSWORD}
    )
    assert response.status_code == 200, response.text
    token = response.json()
    assert token["token_type"] == "bearer"
    me = await anonymous.get(
        "/api/v1/auth/me", headers={"Authorization": f"Bearer {token['access_token']}"}
    )
    assert me.json()["name"] == "viewer"
    assert "devices:read" in me.json()["permissions"]
    assert "devices:write" not in me.json()["permissions"]


@pytest.mark.parametrize(
    ("name", "password"),
    [("viewer", "wrong"), ("nobody", PASSWORD), ("viewer", ""), ("viewer", PASSWORD + "\x00")],
)
async def test_refusals_look_the_same(
    anonymous: AsyncClient, log_in: Login, name: str, password: str
) -> None:
    """Nobody learns from the answer whether the user exists, and the password is not echoed."""
    await log_in(Role.VIEWER)
    response = await anonymous.post("/api/v1/auth/login", json={"name": name, "password": password})
    assert response.status_code == 401
    assert response.json()["detail"] == "user name or password is wrong"
    assert PASSWORD not in response.text


async def test_a_hostile_user_name_is_no_fault(anonymous: AsyncClient) -> None:
    """A NUL in a user name, which PostgreSQL cannot hold, is an invalid request."""
    response = await anonymous.post(
        "/api/v1/auth/login", json={"name": "a\x00b", "password": "secret-secret"}
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/name"
    assert "secret-secret" not in response.text


async def test_a_disabled_user_is_out(
    anonymous: AsyncClient, log_in: Login, sessions: Sessions
) -> None:
    """A user who was disabled can neither log in nor use a token that is still valid."""
    viewer = await log_in(Role.VIEWER)
    async with sessions.begin() as session:
        user = (await session.scalars(queries.by_name("viewer"))).one()
        user.active = False
    assert (await viewer.get("/api/v1/auth/me")).status_code == 401
    response = await anonymous.post(
        "/api/v1/auth/login", json={"name": "viewer", "password": PASSWORD}
    )
    assert response.status_code == 401


async def test_a_token_of_nobody_is_refused(
    app: FastAPI, anonymous: AsyncClient, sessions: Sessions
) -> None:
    """A token that we signed for a session that does not exist is refused."""
    async with sessions.begin() as session:
        token = await app.state.identity.tokens.issue(session, Claims(uuid4(), uuid4()))
    response = await anonymous.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_new_service_token_ends_the_old(service: Service) -> None:
    """Issuing a token again replaces the one before."""
    old = await service(Permission.DEVICES_READ)
    assert (await old.get("/api/v1/devices")).status_code == 200
    new = await service(Permission.DEVICES_READ)
    assert (await old.get("/api/v1/devices")).status_code == 401
    assert (await new.get("/api/v1/devices")).status_code == 200


async def test_a_service_token_that_has_expired(
    app: FastAPI, anonymous: AsyncClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused from that moment on, by who has just let it in, too."""
    ends = datetime.now(UTC) + timedelta(hours=1)
    async with sessions.begin() as session:
        permissions = [Permission.SNAPSHOT_READ]
        issue = service_tokens.issue
        token = await issue(session, system("test"), "paris-1", permissions, ends)
    headers = {"Authorization": f"Bearer {token}"}

    async def asked() -> int:
        return (await anonymous.get("/api/v1/exporter/snapshot", headers=headers)).status_code

    async with asyncio.timeout(20):
        while app.state.callers.find(token) is None:
            assert await asked() == 200
    monkeypatch.setattr(callers, "now", lambda: ends)
    assert app.state.callers.find(token) is None
    monkeypatch.setattr(service_tokens, "now", lambda: ends)
    assert await asked() == 401


async def test_a_file_whose_token_has_expired(sessions: Sessions, tmp_path: Path) -> None:
    """It is given another at the next start: nobody is in the way who uses the old one."""
    permissions, file = [Permission.SNAPSHOT_READ], tmp_path / "exporter.token"
    async with sessions.begin() as session:
        await service_tokens.issue(session, system("test"), "exporter", permissions)
        with pytest.raises(ConfigurationError):
            await service_tokens.ensure_file(session, "exporter", permissions, file)
        held = (await session.scalars(auth_queries.service_token("exporter"))).one()
        held.expires_at = datetime.now(UTC)
        assert await service_tokens.ensure_file(session, "exporter", permissions, file)
        assert not await service_tokens.ensure_file(session, "exporter", permissions, file)


@pytest.mark.parametrize(
    "token", ["chm_", "chm_.", "chm_zz.x", f"chm_{UNKNOWN.hex}.", f"chm_{UNKNOWN.hex}.secret"]
)
async def test_forged_service_tokens_are_refused(anonymous: AsyncClient, token: str) -> None:
    """What only looks like a service's token is refused."""
    response = await anonymous.get("/api/v1/devices", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401


async def test_the_database_holds_no_token(sessions: Sessions) -> None:
    """Only a hash of a service token's secret is stored."""
    async with sessions.begin() as session:
        token = await service_tokens.issue(
            session, system("test"), "exporter", [Permission.SNAPSHOT_READ]
        )
        stored = (await session.scalars(auth_queries.service_token("exporter"))).one()
    assert token.partition(".")[2] not in repr(stored)
    assert stored.created_at <= datetime.now(UTC)


GET = "GET"
CLOSED = [
    (GET, "/api/v1/devices"),
    ("POST", "/api/v1/devices"),
    ("POST", "/api/v1/devices/import"),
    (GET, "/api/v1/devices/core1"),
    ("PATCH", "/api/v1/devices/core1"),
    ("DELETE", "/api/v1/devices/core1"),
    (GET, "/api/v1/sites"),
    ("POST", "/api/v1/sites"),
    (GET, "/api/v1/credentials"),
    ("POST", "/api/v1/credentials"),
    ("DELETE", "/api/v1/credentials/lab"),
    (GET, "/api/v1/thresholds"),
    ("POST", "/api/v1/thresholds"),
    (GET, "/api/v1/devices/core1/thresholds"),
    (GET, "/api/v1/alerts"),
    ("POST", "/api/v1/alerts/webhook"),
    (GET, "/api/v1/exporter/snapshot"),
    (GET, "/api/v1/targets/0"),
    (GET, "/metrics/intent"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_strangers_get_nothing(anonymous: AsyncClient, method: str, path: str) -> None:
    """Without a token every endpoint of the inventory is closed."""
    assert (await anonymous.request(method, path)).status_code == 401


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_a_token_without_permissions_gets_nothing(
    service: Service, method: str, path: str
) -> None:
    """Being known is not enough."""
    nobody = await service()
    response = await nobody.request(method, path)
    assert response.status_code == 403, response.text


@pytest.mark.parametrize("path", ["/api/v1/exporter/snapshot", "/api/v1/targets/0"])
async def test_no_person_reads_what_is_for_services(client: AsyncClient, path: str) -> None:
    """Not even an admin gets secrets through the services' endpoints."""
    assert (await client.get(path)).status_code == 403


async def test_viewers_and_operators_write_no_credentials(log_in: Login) -> None:
    """A viewer writes nothing; an operator writes devices but no credentials, not by import."""
    viewer, operator = await log_in(Role.VIEWER), await log_in(Role.OPERATOR)
    site = {"name": "demo"}
    assert (await viewer.post("/api/v1/sites", json=site)).status_code == 403
    assert (await operator.post("/api/v1/sites", json=site)).status_code == 201
    credential = {"name": "lab", "version": 2, "community": "public"}
    assert (await operator.post("/api/v1/credentials", json=credential)).status_code == 403
    document = {"credentials": [credential]}
    assert (await operator.post("/api/v1/devices/import", json=document)).status_code == 403
