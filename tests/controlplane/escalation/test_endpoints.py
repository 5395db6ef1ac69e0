"""Schedules and policies over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from controlplane.alerts.models import Alert
from controlplane.audit.models import AuditEntry
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.database import now
from controlplane.escalation.models import Escalation
from tests.controlplane.conftest import Login, Service, Sessions

SCHEDULES = "/api/v1/oncall/schedules"
CONTACTS = "/api/v1/oncall/contacts"
POLICIES = "/api/v1/escalation/policies"
LAYER = {"people": ["ann", "bob"], "first_day": "2026-01-05", "days": 7, "handover": "09:00"}
SCHEDULE = {"name": "network", "time_zone": "Europe/Berlin", "layers": [LAYER]}
POLICY = {
    "name": "critical",
    "steps": [{"after": 300, "schedules": ["network"]}, {"after": 900, "channels": ["boss"]}],
}


@pytest.fixture
async def people(client: AsyncClient, log_in: Login) -> AsyncClient:
    """Give an admin's client where there are people who can be on call."""
    for name in ("ann", "bob", "eve"):
        await log_in(Role.OPERATOR, name=name)
    return client


async def make(client: AsyncClient, url: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(url, json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def who(client: AsyncClient, at: str) -> tuple[str | None, str | None]:
    answer = (await client.get(f"{SCHEDULES}/network/who", params={"at": at})).json()
    return answer["person"], answer["channel"]


async def test_who_is_on_call(people: AsyncClient) -> None:
    """It is asked about any moment, and told with the channel by which that person is reached."""
    await make(people, SCHEDULES, SCHEDULE)
    await people.put(f"{CONTACTS}/bob", json={"channel": "bobs-pager"})
    assert await who(people, "2026-01-12T07:59:00Z") == ("ann", None)
    assert await who(people, "2026-01-12T08:00:00Z") == ("bob", "bobs-pager")
    assert await who(people, "2026-07-13T09:00:00+02:00") == ("bob", "bobs-pager")
    assert await who(people, "2025-01-01T00:00:00Z") == (None, None)


async def test_somebody_stands_in(people: AsyncClient, sessions: Sessions) -> None:
    """From the one moment until the other, in `who` and in the turns; it can be taken back."""
    await make(people, SCHEDULES, SCHEDULE)
    span = {"starts_at": "2026-01-06T10:00:00Z", "ends_at": "2026-01-06T12:00:00Z"}
    made = await make(people, f"{SCHEDULES}/network/overrides", {"person": "eve", **span})
    assert (await who(people, "2026-01-06T11:00:00Z"))[0] == "eve"
    query = {"after": "2026-01-06T00:00:00Z", "days": "1"}
    turns = (await people.get(f"{SCHEDULES}/network/turns", params=query)).json()
    assert [(t["person"], t["start"][11:16]) for t in turns] == [
        ("ann", "00:00"),
        ("eve", "10:00"),
        ("ann", "12:00"),
    ]
    gone = await people.delete(f"{SCHEDULES}/network/overrides/{made['id']}")
    assert gone.status_code == 204
    assert (await who(people, "2026-01-06T11:00:00Z"))[0] == "ann"
    async with sessions() as session:
        statement = select(AuditEntry).where(AuditEntry.object_type == "oncall_override")  # type: ignore[arg-type]
        entries = list(await session.scalars(statement.order_by(AuditEntry.seq)))  # type: ignore[arg-type]
    assert [str(entry.action) for entry in entries] == ["data.create", "data.delete"]
    assert entries[0].after is not None
    assert entries[0].after["person"] == "eve"


async def test_a_schedule_that_is_told_stays(people: AsyncClient) -> None:
    """A schedule that a policy tells is not removed; after the policy it is."""
    await make(people, SCHEDULES, SCHEDULE)
    made = await make(people, POLICIES, POLICY)
    assert made["severities"] == ["critical"]
    assert (await people.delete(f"{SCHEDULES}/network")).status_code == 409
    changed = {**POLICY, "position": 5, "severities": ["critical", "warning"]}
    replaced = await people.put(f"{POLICIES}/critical", json=changed)
    assert replaced.json()["position"] == 5
    assert (await people.delete(f"{POLICIES}/critical")).status_code == 204
    assert (await people.delete(f"{SCHEDULES}/network")).status_code == 204


async def test_a_channel_that_somebody_is_told_by_stays(people: AsyncClient) -> None:
    """A channel that a policy or a person names is not removed, and the answer names both."""
    channel = "/api/v1/notifications/channels/boss"
    await make(people, SCHEDULES, SCHEDULE)
    await make(people, POLICIES, POLICY)
    await people.put(f"{CONTACTS}/bob", json={"channel": "boss"})
    refused = await people.delete(channel)
    assert refused.status_code == 409
    assert "'bob', on call, escalation policy 'critical'" in refused.json()["detail"]
    await people.delete(f"{POLICIES}/critical")
    assert (await people.delete(channel)).status_code == 409
    await people.delete(f"{CONTACTS}/bob")
    assert (await people.delete(channel)).status_code == 204


@pytest.mark.parametrize(("url", "body"), [(SCHEDULES, SCHEDULE), (POLICIES, POLICY)])
async def test_two_writers(people: AsyncClient, url: str, body: dict[str, Any]) -> None:
    """The second one learns that what they saw is no more, whether they write or remove."""
    await make(people, SCHEDULES, {**SCHEDULE, "name": "network" if url == POLICIES else "other"})
    created = await people.post(url, json=body)
    own = f"{url}/{body['name']}"
    assert created.headers["etag"] == (await people.get(own)).headers["etag"] == '"1"'
    seen = {"If-Match": '"1"'}
    written = await people.put(own, json=body, headers=seen)
    assert (written.headers["etag"], written.json()["version"]) == ('"2"', 2)
    for late in (
        await people.put(own, json=body, headers=seen),
        await people.delete(own, headers=seen),
    ):
        assert (late.status_code, late.headers["etag"]) == (412, '"2"')
    assert (await people.delete(own, headers={"If-Match": '"2"'})).status_code == 204


async def test_now_is_told_with_the_schedule(people: AsyncClient) -> None:
    """The list of schedules says who is on call now."""
    today = (now() - timedelta(days=2)).date().isoformat()
    layer = {**LAYER, "people": ["eve"], "first_day": today, "hours": None}
    await make(people, SCHEDULES, {**SCHEDULE, "layers": [layer]})
    (found,) = (await people.get(SCHEDULES)).json()["results"]
    assert found["on_call"] == "eve"


@pytest.mark.parametrize(
    ("url", "body", "pointer"),
    [
        (SCHEDULES, {**SCHEDULE, "layers": [{**LAYER, "people": ["nobody"]}]}, "/layers"),
        (SCHEDULES, {**SCHEDULE, "layers": []}, "/layers"),
        (SCHEDULES, {**SCHEDULE, "time_zone": "Mars/Base"}, "/time_zone"),
        (SCHEDULES, {**SCHEDULE, "layers": [{**LAYER, "days": 0}]}, "/layers/0/days"),
        (SCHEDULES, {**SCHEDULE, "layers": [{**LAYER, "handover": "9"}]}, "/layers/0/handover"),
        (POLICIES, POLICY, "/steps/0/schedules"),
        (POLICIES, {**POLICY, "steps": [{"after": 1, "channels": ["no"]}]}, "/steps/0/channels"),
        (POLICIES, {**POLICY, "steps": [{"after": 1}]}, "/steps/0"),
        (POLICIES, {**POLICY, "repeat": 21}, "/repeat"),
        (POLICIES, {**POLICY, "repeat": 1, "repeat_after": 0}, "/repeat_after"),
        (POLICIES, {**POLICY, "steps": [POLICY["steps"][1], POLICY["steps"][1]]}, "/steps"),
    ],
)
async def test_mistakes_are_named(
    people: AsyncClient, url: str, body: dict[str, Any], pointer: str
) -> None:
    """Unknown people, schedules and zones, steps to nobody or out of order are refused."""
    response = await people.post(url, json=body)
    assert response.status_code == 422
    assert pointer in [e["pointer"] for e in response.json()["errors"]], response.text


async def test_who_sees_and_who_writes(people: AsyncClient, log_in: Login) -> None:
    """Everybody sees who is on call, also with a part of the inventory; few may change it."""
    await make(people, SCHEDULES, SCHEDULE)
    local = await log_in(Role.VIEWER, Scope(ScopeKind.TAG, "lent"), name="local")
    assert (await who(local, "2026-01-12T07:59:00Z"))[0] == "ann"
    assert (await local.post(POLICIES, json=POLICY)).status_code == 403
    operator = await log_in(Role.OPERATOR, name="oper")
    assert (await operator.delete(f"{SCHEDULES}/network")).status_code == 403


async def test_escalations_elsewhere_are_not_there(
    people: AsyncClient, service: Service, sessions: Sessions, log_in: Login
) -> None:
    """How far an alert was escalated is seen by those who see the alert."""
    site = await make(people, "/api/v1/sites", {"name": "north"})
    for name, where in (("here", "north"), ("hidden", None)):
        device = {"name": name, "address": f"10.0.0.{len(name)}", "site": where}
        await make(people, "/api/v1/devices", device)
    told = await service(Permission.ALERTS_INGEST)
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": "DeviceDown", "device": name},
            "startsAt": "2026-01-01T00:00:00Z",
            "fingerprint": fingerprint,
        }
        for name, fingerprint in (("here", "a1"), ("hidden", "b2"))
    ]
    response = await told.post("/api/v1/alerts/webhook", json={"version": "4", "alerts": alerts})
    assert response.status_code == 200, response.text
    async with sessions.begin() as session:
        for alert in await session.scalars(select(Alert)):
            session.add(Escalation(alert_id=alert.id, policy=f"of {alert.device}", steps=[]))
    local = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, site["id"]), name="local")
    found = (await local.get("/api/v1/escalations")).json()["results"]
    assert [escalation["policy"] for escalation in found] == ["of here"]
    assert (await people.get("/api/v1/escalations")).json()["count"] == 2
