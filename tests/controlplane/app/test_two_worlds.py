"""What a restricted person is told does not depend on what lies outside their scope.

The same questions are asked twice: once while there is a second site with a device, its interface
and events, credentials, a group, maintenance, alerts and their history, an alerting rule, and once
after all of that is gone. Every answer, with its count, links and errors, must be the same to the
letter.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane import events
from controlplane.auth import queries as auth_queries
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from tests.controlplane.conftest import Login, Service, Sessions
from tests.controlplane.devices.interfaces.telling import learn, port
from tests.controlplane.traps.test_events import event

HIDDEN, SEEN = "hidden", "seen"
HIDDEN_RULE, SEEN_RULE = "HiddenRule", "SeenRule"
DEVICES, RULES = "/api/v1/devices", "/api/v1/alerting-rules"

INVENTORY = {
    "credentials": [
        {"name": HIDDEN, "version": 2, "community": "public"},
        {"name": "open", "version": 2, "community": "public"},
    ],
    "sites": [
        {"name": "north"},
        {"name": "oslo", "parent": "north"},
        {
            "name": HIDDEN,
            "description": "hidden place",
            "contacts": [HIDDEN],
            "custom_fields": {"place": HIDDEN},
        },
    ],
    # The catalogue all may read, there or not; who names it they may not.
    "contacts": [{"name": HIDDEN}],
    "custom_fields": [
        {"name": HIDDEN, "applies_to": "device", "value_schema": {}},
        {"name": "place", "applies_to": "site", "value_schema": {}},
    ],
    "device_roles": [{"name": HIDDEN}],
    "devices": [
        {
            "name": HIDDEN,
            "address": "10.0.0.1",
            "site": HIDDEN,
            "credentials": [HIDDEN],
            "parents": [SEEN],
            "role": HIDDEN,
            "vendor": HIDDEN,
            "serial": HIDDEN,
            "description": "hidden device",
            "tags": [HIDDEN],
            "contacts": [HIDDEN],
            "custom_fields": {HIDDEN: HIDDEN},
        },
        {"name": SEEN, "address": "10.0.0.2", "site": "oslo", "credentials": ["open"]},
    ],
}

# Rows of the second site, children before parents; what points at them goes with them.
REMOVED = (
    "DELETE FROM maintenance_windows WHERE name = 'hidden'",
    "DELETE FROM alerts WHERE device = 'hidden'",
    "DELETE FROM events WHERE device = 'hidden'",
    "DELETE FROM interfaces WHERE device = 'hidden'",
    "DELETE FROM alerting_rules WHERE name = 'HiddenRule'",
    "DELETE FROM device_groups WHERE name = 'hidden'",
    "DELETE FROM devices WHERE name = 'hidden'",
    "DELETE FROM credentials WHERE name = 'hidden'",
    "DELETE FROM sites WHERE name = 'hidden'",
)

# Filled into parameters: what hidden things are called, or a part of it where a lookup takes parts.
WORDS = ("hidden", "10.0.0.1")
PART = ("hid",)
OWN = {  # of parameters that take something else
    "cf": ("hidden=hidden", "hidden__ic=hid", "place=hidden", "hidden__isnull=false"),
    "format": ("csv", "json", "yaml"),
    "limit": ("1",),
}
MOMENT = {"since": "2026-01-01T00:00:00Z", "until": "2030-01-01T00:00:00Z"}  # else it is now


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the asker's own login not noted anew while questions are asked on a busy machine."""
    monkeypatch.setattr(auth_queries, "TOUCHED_EVERY", timedelta(days=1))


@pytest.fixture
async def restricted(
    client: AsyncClient, service: Service, log_in: Login, sessions: Sessions
) -> AsyncClient:
    """Give somebody who may do everything people may, at one site of two."""
    made = await client.post(f"{DEVICES}/import", json=INVENTORY)
    assert made.status_code == 200, made.text
    for name, site in ((HIDDEN, HIDDEN), ("open", "oslo")):
        asked = {"name": name, "filter": {"site": site}}
        assert (await client.post("/api/v1/device-groups", json=asked)).status_code == 201
    threshold = {"scope": "device", "device": HIDDEN, "metric": "temperature"}
    values = {"warning": 42.5, "critical": 50}
    limited = await client.post("/api/v1/thresholds", json={**threshold, **values})
    assert limited.status_code == 201, limited.text
    work = {"starts_at": "2100-01-01T00:00:00", "duration": 60, "devices": [HIDDEN]}
    planned = await client.post("/api/v1/maintenance", json={**work, "name": HIDDEN})
    assert planned.status_code == 201, planned.text
    alertmanager = await service(Permission.ALERTS_INGEST)
    alerts = [_alert(HIDDEN, "a1"), _alert(SEEN, "b2")]
    told = await alertmanager.post(
        "/api/v1/alerts/webhook", json={"version": "4", "alerts": alerts}
    )
    assert told.status_code == 200, told.text
    exporter = await service(Permission.SNAPSHOT_READ)
    traps = {"events": [event(HIDDEN), event(SEEN)]}
    assert (await exporter.post("/api/v1/exporter/traps", json=traps)).status_code == 200
    await learn(sessions, port(HIDDEN, HIDDEN, alias=HIDDEN), port(SEEN, "open"), whole=())
    for name, site in ((HIDDEN_RULE, HIDDEN), (SEEN_RULE, "oslo")):
        rule = {"name": name, "expr": "up == 0", "summary": site, "site": site}
        assert (await client.post(RULES, json=rule)).status_code == 201
    site = (await client.get("/api/v1/sites/north")).json()["id"]
    return await log_in(Role.SUPER_ADMIN, Scope(ScopeKind.SITE, site), name="restricted")


def _alert(device: str, fingerprint: str) -> dict[str, object]:
    return {
        "status": "firing",
        "labels": {"alertname": "DeviceDown", "device": device, "severity": "critical"},
        "startsAt": "2026-01-01T00:00:00Z",
        "fingerprint": fingerprint,
    }


def questions(app: FastAPI) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Give every reading question of the OpenAPI document: each path, with each parameter."""
    for path, operations in app.openapi()["paths"].items():
        if "get" not in operations or not path.startswith("/api/v1/"):
            continue
        parameters = [p for p in operations["get"].get("parameters", ()) if p["in"] == "query"]
        for place in _filled(path):
            yield place, MOMENT if path.endswith("/statistics") else {}
            for parameter in parameters:
                for value in _values(parameter):
                    yield place, {parameter["name"]: value}


def _filled(path: str) -> Iterator[str]:
    if "{" not in path:
        yield path
    elif "{name}" in path and path.count("{") == 1:
        rules = path.startswith(RULES)
        names = (HIDDEN_RULE, SEEN_RULE) if rules else (HIDDEN, SEEN, "oslo", "open")
        yield from (path.replace("{name}", name) for name in names)


def _values(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    name, schema = parameter["name"], parameter["schema"]
    if name == "ordering":
        return tuple(_ordered(parameter))
    if name in OWN:
        return OWN[name]
    kinds = {schema.get("type"), *(kind.get("type") for kind in schema.get("anyOf", ()))}
    if name.endswith("__isnull") or "boolean" in kinds:
        return ("true", "false")
    if not kinds & {"string", "array"}:
        return ()
    return PART if "__" in name else WORDS


def _ordered(parameter: Mapping[str, Any]) -> Iterator[str]:
    for word in ("name", "site", "device", "created_at"):
        if word in parameter.get("description", ""):
            yield from (word, f"-{word}")


def _answer(response: Response) -> tuple[int, str]:
    body = response.text
    request = response.headers.get("x-request-id", "")
    return response.status_code, body.replace(request, "") if request else body


async def test_what_is_elsewhere_changes_no_answer(
    app: FastAPI,
    client: AsyncClient,
    restricted: AsyncClient,
    owner: AsyncEngine,
    sessions: Sessions,
) -> None:
    """Lists, filters, searches, counts, orders, exports, history and errors: all the same."""
    asked = [(path, dict(given)) for path, given in questions(app)]
    before = [_answer(await restricted.get(path, params=given)) for path, given in asked]
    everything = (await client.get(DEVICES)).json()["count"]
    async with owner.begin() as connection:
        for statement in REMOVED:
            gone = await connection.execute(text(statement))
            assert gone.rowcount == 1, statement
    async with sessions.begin() as session:
        await events.changed(session)
    after = [_answer(await restricted.get(path, params=given)) for path, given in asked]
    assert (await client.get(DEVICES)).json()["count"] == everything - 1, "it was there, and is not"

    different = [
        (question, first, second)
        for question, first, second in zip(asked, before, after, strict=True)
        if first != second
    ]
    assert different == []
    good = [question for question, (status, _) in zip(asked, before, strict=True) if status == 200]
    assert len(good) > 300, "most questions are answered, not refused"
