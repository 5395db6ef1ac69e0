"""Tokens of programs: never more than their owner, from where they may, until they end."""

import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import update
from sqlmodel import col, select

from controlplane.auth import service_tokens
from controlplane.auth.actor import system
from controlplane.auth.models import ApiToken, ServiceToken
from controlplane.auth.permissions import Role
from controlplane.auth.roles.models import Grant
from controlplane.database import now
from controlplane.metrics import intent
from controlplane.users.models import User
from tests.controlplane.auth.conftest import SignIn, bearer
from tests.controlplane.conftest import Sessions

TOKENS = "/api/v1/auth/tokens"
DEVICES = "/api/v1/devices"
SCOPES = ["devices:read", "devices:write"]


@pytest.fixture
async def headers(sign_in: SignIn) -> dict[str, str]:
    """Give the headers of ann in person."""
    return bearer((await sign_in())["access_token"])


async def make(client: AsyncClient, headers: dict[str, str], **fields: Any) -> dict[str, Any]:
    body = {"name": "backup", "scopes": SCOPES} | fields
    response = await client.post(TOKENS, json=body, headers=headers)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def test_a_token_does_what_its_scopes_say(
    anonymous: AsyncClient, headers: dict[str, str], sessions: Sessions
) -> None:
    """It is shown once, its hash is kept, and it may do what it was made for and no more."""
    made = await make(anonymous, headers, scopes=["devices:read"])
    token = bearer(made["token"])
    assert (await anonymous.get(DEVICES, headers=token)).status_code == 200
    body = {"name": "core1", "address": "10.0.0.1"}
    assert (await anonymous.post(DEVICES, json=body, headers=token)).status_code == 403
    me = (await anonymous.get("/api/v1/auth/me", headers=token)).json()
    assert (me["name"], me["kind"], me["permissions"]) == ("ann/backup", "token", ["devices:read"])
    listed = await anonymous.get(TOKENS, headers=headers)
    assert made["token"].partition(".")[2] not in listed.text
    async with sessions() as session:
        assert made["token"].partition(".")[2] not in repr(
            (await session.scalars(select(ApiToken))).all()
        )


async def test_it_shrinks_with_its_owner(
    anonymous: AsyncClient, headers: dict[str, str], sessions: Sessions, ann: User
) -> None:
    """What the owner may no longer do, the token may not either, from the next request on."""
    token = bearer((await make(anonymous, headers))["token"])
    body = {"name": "core1", "address": "10.0.0.1"}
    assert (await anonymous.post(DEVICES, json=body, headers=token)).status_code == 201
    async with sessions.begin() as session:
        await session.execute(update(Grant).values(role=Role.VIEWER))
    assert (await anonymous.get(DEVICES, headers=token)).status_code == 200
    body["name"] = "core2"
    assert (await anonymous.post(DEVICES, json=body, headers=token)).status_code == 403
    async with sessions.begin() as session:
        (await session.get_one(User, ann.id)).active = False
    assert (await anonymous.get(DEVICES, headers=token)).status_code == 401


@pytest.mark.parametrize("scopes", [["credentials:write"], ["snapshot:read"], ["users:everything"]])
async def test_nobody_gives_what_they_lack(
    anonymous: AsyncClient, headers: dict[str, str], scopes: list[str]
) -> None:
    """A scope that the owner does not hold, or nobody knows, is refused."""
    body = {"name": "greedy", "scopes": scopes}
    response = await anonymous.post(TOKENS, json=body, headers=headers)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"].startswith("/scopes")


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": []},
        {"networks": ["10.0.0.1/8"]},
        {"networks": ["everywhere"]},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2999-01-01T00:00:00"},
        {"name": ""},
        {"owner": "somebody else"},
    ],
)
async def test_wishes_that_make_no_sense(
    anonymous: AsyncClient, headers: dict[str, str], fields: dict[str, Any]
) -> None:
    """No scope, no network, an end in the past, a moment without zone, another owner: refused."""
    body = {"name": "backup", "scopes": SCOPES} | fields
    assert (await anonymous.post(TOKENS, json=body, headers=headers)).status_code == 422


async def test_revoked_and_expired_ones_are_refused(
    anonymous: AsyncClient,
    elsewhere: AsyncClient,
    headers: dict[str, str],
    sessions: Sessions,
) -> None:
    """A token ends when it is revoked, on every replica, and when its time is over."""
    first = await make(anonymous, headers)
    second = await make(anonymous, headers, name="other", expires_at="2999-01-01T00:00:00Z")
    response = await anonymous.delete(f"{TOKENS}/{first['id']}", headers=headers)
    assert response.status_code == 204
    assert (await elsewhere.get(DEVICES, headers=bearer(first["token"]))).status_code == 401
    assert (await elsewhere.get(DEVICES, headers=bearer(second["token"]))).status_code == 200
    async with sessions.begin() as session:
        await session.execute(update(ApiToken).values(expires_at=now() - timedelta(seconds=1)))
    assert (await elsewhere.get(DEVICES, headers=bearer(second["token"]))).status_code == 401
    assert [t["name"] for t in (await anonymous.get(TOKENS, headers=headers)).json()] == ["other"]


async def test_it_works_from_its_networks_only(
    app: FastAPI, anonymous: AsyncClient, headers: dict[str, str]
) -> None:
    """From an address outside the token's networks it is as good as none."""
    made = await make(anonymous, headers, networks=["10.1.0.0/16", "2001:db8::/32"])
    for address, status in (
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("2001:db8::7", 200),
        ("10.2.0.1", 401),
        ("", 401),
    ):
        transport = ASGITransport(app, client=(address, 1))
        async with AsyncClient(transport=transport, base_url="http://chm.test") as client:
            response = await client.get(DEVICES, headers=bearer(made["token"]))
        assert response.status_code == status, address


async def test_its_use_is_noted_once_a_minute(
    anonymous: AsyncClient, headers: dict[str, str], sessions: Sessions
) -> None:
    """When and from where a token was last used is known to the minute, at a write a minute."""
    shown = bearer((await make(anonymous, headers))["token"])

    async def used() -> ApiToken:
        await anonymous.get(DEVICES, headers=shown)
        async with sessions() as session:
            token: ApiToken = (await session.scalars(select(ApiToken))).one()
            return token

    first = await used()
    assert first.last_address == "127.0.0.1"
    assert (await used()).last_used_at == first.last_used_at
    async with sessions.begin() as session:
        await session.execute(update(ApiToken).values(last_used_at=now() - timedelta(minutes=2)))
    latest = (await used()).last_used_at
    assert first.last_used_at is not None
    assert latest is not None
    assert latest > first.last_used_at


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/auth/sessions"),
        ("DELETE", "/api/v1/auth/sessions"),
        ("POST", "/api/v1/auth/logout"),
        ("POST", "/api/v1/auth/mfa/totp"),
        ("DELETE", "/api/v1/auth/mfa/totp"),
        ("GET", TOKENS),
    ],
)
async def test_a_token_keeps_off_the_account(
    anonymous: AsyncClient, headers: dict[str, str], method: str, path: str
) -> None:
    """A stolen token neither makes tokens nor touches sessions and second factor of its owner."""
    token = bearer((await make(anonymous, headers))["token"])
    assert (await anonymous.request(method, path, headers=token)).status_code == 403
    body = {"name": "child", "scopes": SCOPES}
    assert (await anonymous.post(TOKENS, json=body, headers=token)).status_code == 403


async def test_nobody_revokes_a_strangers(
    anonymous: AsyncClient, client: AsyncClient, headers: dict[str, str]
) -> None:
    """The token of somebody else is not found, whoever asks."""
    made = await make(anonymous, headers)
    assert (await client.delete(f"{TOKENS}/{made['id']}")).status_code == 404
    assert (await anonymous.get(DEVICES, headers=bearer(made["token"]))).status_code == 200


async def test_when_a_token_in_use_ends(
    anonymous: AsyncClient, headers: dict[str, str], sessions: Sessions
) -> None:
    """Prometheus hears of each that ends, was made to last, and is in use; of all of services."""
    ends = now().replace(microsecond=0) + timedelta(days=3)
    for name, fields in {
        "used": {"expires_at": ends.isoformat()},
        "unused": {"expires_at": ends.isoformat()},
        "short": {"expires_at": ends.isoformat()},
        "forgotten": {"expires_at": ends.isoformat()},
        "endless": {},
        "revoked": {"expires_at": ends.isoformat()},
    }.items():
        made = await make(anonymous, headers, name=name, **fields)
        if name != "unused":
            used = await anonymous.get(DEVICES, headers=bearer(made["token"]))
            assert used.status_code == 200
        if name == "revoked":
            revoked = await anonymous.delete(f"{TOKENS}/{made['id']}", headers=headers)
            assert revoked.status_code == 204
    async with sessions.begin() as session:
        long_ago = now() - timedelta(days=31)
        lasting = update(ApiToken).where(col(ApiToken.name) != "short")
        await session.execute(lasting.values(created_at=long_ago))
        forgotten = update(ApiToken).where(col(ApiToken.name) == "forgotten")
        await session.execute(forgotten.values(last_used_at=long_ago))
        for name, until in {"paris-1": ends, "brief": ends, "oslo-1": None}.items():
            await service_tokens.issue(session, system("test"), name, [], until)
        lasting = update(ServiceToken).where(col(ServiceToken.name) != "brief")
        await session.execute(lasting.values(created_at=long_ago))
    async with sessions() as session:
        live = (await intent.live(session)).content.decode()
    found = re.findall(
        r"^chm_api_token_expiry_timestamp_seconds\{(.*)\} (\S+)$", live, re.MULTILINE
    )
    assert [(labels, float(moment)) for labels, moment in found] == [
        ('owner="ann",token="used"', ends.timestamp()),
        ('owner="(service)",token="paris-1"', ends.timestamp()),
    ]
