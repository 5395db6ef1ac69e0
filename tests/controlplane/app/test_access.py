"""Every operation there is, walked through: who is let in, and what they can see."""

import re
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from controlplane.app import access, create_app
from controlplane.app.access import Operation
from controlplane.audit.models import Action, AuditEntry
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.settings import Settings
from tests.controlplane.conftest import Login, Service, Sessions
from tests.controlplane.devices.interfaces.telling import learn, port

RULES = "/api/v1/alerting-rules"
# What a path asks for, filled with what a restricted person must not find.
VALUES = {
    "name": "hidden",
    "shard": "0",
    "alert": "DeviceDown",
}
BODIES: dict[str, dict[str, object]] = {  # where an empty one is no request at all
    "/api/v1/devices/{name}/thresholds/{metric}/{severity}": {"value": 50.0},
    "/api/v1/thresholds/{metric}/{severity}": {"value": 50.0},
    "/api/v1/tags/{name}": {"name": "other"},
}
INVENTORY = {
    "credentials": [
        {"name": "hidden", "version": 2, "community": "public"},
        {"name": "open", "version": 2, "community": "public"},
    ],
    "sites": [{"name": "north"}, {"name": "oslo", "parent": "north"}, {"name": "hidden"}],
    "devices": [
        {
            "name": "hidden",
            "address": "10.0.0.1",
            "site": "hidden",
            "credentials": ["hidden"],
            "tags": ["hidden"],
        },
        {
            "name": "seen",
            "address": "10.0.0.2",
            "site": "oslo",
            "credentials": ["open"],
            "parents": ["hidden"],
        },
    ],
}


def address(operation: Operation, **more: str) -> str:
    named = {"name": "HiddenRule"} if operation.path.startswith(RULES) else {}
    values = VALUES | named | more
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1]) or str(uuid4()), operation.path)


def closed(app: FastAPI) -> list[Operation]:
    """Give the operations that ask for a login."""
    return [o for o in access.operations(app) if o.key not in access.PUBLIC]


def guarded(app: FastAPI) -> list[tuple[Operation, Permission]]:
    return [(o, o.required.permission) for o in closed(app) if o.required is not None]


def test_every_operation_is_guarded_or_public_for_a_reason(app: FastAPI) -> None:
    """What is open to everybody is on a list, and nothing is on the list that is not there."""
    access.refuse_unguarded(app)
    there = {operation.key for operation in access.operations(app)}
    assert there >= access.PUBLIC.keys()
    assert all(reason for reason in access.PUBLIC.values())


def test_a_new_endpoint_without_access_is_refused(settings: Settings) -> None:
    """An endpoint that somebody forgot to close stops the application from being made."""
    app = create_app(settings)

    @app.get("/api/v1/forgotten")
    def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="/api/v1/forgotten is open to everybody"):
        access.refuse_unguarded(app)


def test_the_document_tells_all_of_it(app: FastAPI) -> None:
    """Every operation of the OpenAPI document is one that is walked here."""
    documented = {
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    assert documented <= {operation.key for operation in access.operations(app)}
    assert len(documented) > 30


async def test_strangers_get_nothing(app: FastAPI, anonymous: AsyncClient) -> None:
    """Without a login every operation that is not public is refused, whatever it is asked."""
    for operation in closed(app):
        response = await anonymous.request(operation.method, address(operation))
        assert response.status_code == 401, (operation.key, response.text)


async def test_nobody_gets_by_without_the_permission(app: FastAPI, service: Service) -> None:
    """Whoever holds every permission but the one that is asked for is refused."""
    for operation, permission in guarded(app):
        other = await service(*(set(Permission) - {permission}))
        response = await other.request(operation.method, address(operation))
        assert response.status_code == 403, (operation.key, response.text)
        assert permission.value in response.json()["detail"]


async def test_the_permission_is_enough(
    app: FastAPI, client: AsyncClient, service: Service
) -> None:
    """Whoever holds the permission on everything and nothing else is let in."""
    # An empty inventory is not served to Prometheus, whoever asks.
    kept = {"name": "kept", "address": "10.0.0.1"}
    assert (await client.post("/api/v1/devices", json=kept)).status_code == 201
    for operation, permission in guarded(app):
        holder = await service(permission)
        response = await holder.request(operation.method, address(operation))
        assert response.status_code not in {401, 403}, (operation.key, response.text)
        assert response.status_code < 500, (operation.key, response.text)


@pytest.fixture
async def restricted(
    client: AsyncClient, service: Service, log_in: Login, sessions: Sessions
) -> AsyncClient:
    """Give somebody who may do everything people may, but only at one site and below it."""
    response = await client.post("/api/v1/devices/import", json=INVENTORY)
    assert response.status_code == 200, response.text
    await learn(sessions, port("hidden", "hidden", alias="hidden"), port("seen", "open"))
    for group in ({"name": "hidden", "site": "hidden"}, {"name": "open", "site": "oslo"}):
        asked = {"name": group["name"], "filter": {"site": group["site"]}}
        assert (await client.post("/api/v1/device-groups", json=asked)).status_code == 201
    own = {"scope": "device", "device": "hidden", "metric": "jitter"}
    values = {"warning": 0.0425, "critical": 0.1}
    assert (await client.post("/api/v1/thresholds", json=own | values)).status_code == 201
    work = {"name": "hidden", "starts_at": "2100-01-01T00:00:00", "duration": 60}
    planned = await client.post("/api/v1/maintenance", json={**work, "devices": ["hidden"]})
    assert planned.status_code == 201, planned.text
    rule = {"name": "HiddenRule", "expr": "up == 0", "summary": "hidden", "site": "hidden"}
    assert (await client.post(RULES, json=rule)).status_code == 201
    alertmanager = await service(Permission.ALERTS_INGEST)
    alerts = [alert("hidden", "a1"), alert("seen", "b2"), alert("", "c3")]
    told = await alertmanager.post(
        "/api/v1/alerts/webhook", json={"version": "4", "alerts": alerts}
    )
    assert told.status_code == 200, told.text
    site = (await client.get("/api/v1/sites/north")).json()["id"]
    return await log_in(Role.SUPER_ADMIN, Scope(ScopeKind.SITE, site), name="restricted")


def alert(device: str, fingerprint: str) -> dict[str, object]:
    return {
        "status": "firing",
        "labels": {"alertname": "DeviceDown", "device": device},
        "startsAt": "2026-01-01T00:00:00Z",
        "fingerprint": fingerprint,
    }


async def test_outside_the_scope_is_nothing(
    app: FastAPI, restricted: AsyncClient, client: AsyncClient
) -> None:
    """No operation lets a restricted person see, change or remove what is outside their scope.

    Objects outside are not found; what belongs to all is refused; lists leave them out.
    """
    (told,) = (await client.get("/api/v1/alerts?device=hidden")).json()["results"]
    for operation, _ in guarded(app):
        body = BODIES.get(operation.path, {})
        path = address(operation, alert_id=told["id"])
        response = await restricted.request(operation.method, path, json=body)
        place = (operation.key, response.status_code, response.text)
        required = operation.required
        assert required is not None
        if required.everywhere:
            assert response.status_code == 403, place
        elif "{name}" in operation.path:
            assert response.status_code == 404, place
        elif "{alert_id}" in operation.path:
            assert response.status_code in {404, 422}, place  # 422: it takes a body
        else:
            assert "hidden" not in response.text, place


async def test_inside_the_scope_is_all(restricted: AsyncClient) -> None:
    """The same person sees the devices of their site and of those below it, and what is theirs."""
    devices = (await restricted.get("/api/v1/devices")).json()
    assert [device["name"] for device in devices["results"]] == ["seen"]
    assert devices["results"][0]["parents"] == []
    sites = (await restricted.get("/api/v1/sites")).json()
    assert [site["name"] for site in sites["results"]] == ["north", "oslo"]
    credentials = (await restricted.get("/api/v1/credentials")).json()
    assert [credential["name"] for credential in credentials["results"]] == ["open"]
    groups = (await restricted.get("/api/v1/device-groups")).json()
    assert [group["name"] for group in groups["results"]] == ["open"]
    interfaces = (await restricted.get("/api/v1/interfaces")).json()
    assert [interface["name"] for interface in interfaces["results"]] == ["open"]
    alerts = (await restricted.get("/api/v1/alerts")).json()
    assert [alert["device"] for alert in alerts["results"]] == ["seen"]
    assert (await restricted.get("/api/v1/devices/seen/thresholds")).status_code == 200


async def test_a_refusal_is_recorded(restricted: AsyncClient, sessions: Sessions) -> None:
    """Whoever asks for what they may not do is in the audit log, with what and from where."""
    response = await restricted.get("/api/v1/users/restricted/grants")
    assert response.status_code == 403
    async with sessions() as session:
        found = await session.scalars(
            select(AuditEntry).where(AuditEntry.action == Action.PERMISSION_DENIED)  # type: ignore[arg-type]
        )
        (entry,) = found
    assert entry.actor_name == "restricted"
    assert entry.object_name == "GET /api/v1/users/restricted/grants"
    assert entry.request_id == response.headers["x-request-id"]
    assert entry.address == "127.0.0.1"
    assert entry.outcome.value == "failure"
