"""Shipped alerts over HTTP, and the rule set that follows."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from httpx import AsyncClient

import rules
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from controlplane.provisioning import promtool, service
from controlplane.provisioning.shipped_alerts.schemas import WEEK
from controlplane.settings import Settings
from tests.controlplane.audit.test_trail import entries
from tests.controlplane.conftest import Login, Sessions
from tests.tools import tool

URL = "/api/v1/shipped-alerts"


async def rendered(sessions: Sessions, settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Give the alerting rules of the next rule set, by the name of the alert."""
    async with sessions() as session:
        files = (await service.wanted(session, settings)).files
    found: dict[str, list[dict[str, Any]]] = {}
    for text in files.values():
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found.setdefault(rule["alert"], []).append(rule)
    return found


async def test_every_alert_is_listed(client: AsyncClient, settings: Settings) -> None:
    """Each shipped alert with its severities, its times, its words and its runbook."""
    page = (await client.get(f"{URL}?limit=1000")).json()
    known = {alert.name for alert in rules.alerts(service.rule_intent(settings))}
    assert [one["name"] for one in page["results"]] == sorted(known)
    assert page["count"] == len(known)
    (cpu,) = [one for one in page["results"] if one["name"] == "CpuHigh"]
    assert cpu.pop("description")
    assert cpu == {
        "name": "CpuHigh",
        "severities": ["critical", "warning"],
        "alertclass": "symptom",
        "summary": "The processor of {{ $labels.device }} is busy",
        "runbook_url": "http://chm.test/runbooks/CpuHigh",
        "enabled": True,
        "for_seconds": 300,
        "keep_firing_for_seconds": 0,
        "shipped": {"for_seconds": 300, "keep_firing_for_seconds": 0},
        "version": 1,
        "updated_at": None,
    }


async def test_the_longest_times_can_be_deployed(
    client: AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    """Every time that is accepted is in the set, and the story of the set comes to its end."""
    week = {"for_seconds": WEEK, "keep_firing_for_seconds": WEEK}
    for alert in ("DeviceDown", "DeviceUnreachable"):
        assert (await client.patch(f"{URL}/{alert}", json=week)).status_code == 200
    (rule, *_) = (await rendered(sessions, settings))["DeviceDown"]
    assert (rule["for"], rule["keep_firing_for"]) == (f"{WEEK}s", f"{WEEK}s")
    async with sessions() as session:
        wanted = await service.wanted(session, settings)
    (test,) = wanted.behaviour["tests"]
    assert max(int(moment["eval_time"].rstrip("s")) for moment in test["promql_expr_test"]) < WEEK
    await promtool.test_rules(tool("promtool"), wanted.played, wanted.behaviour, 60)


async def test_what_is_changed_is_in_the_next_rule_set(
    client: AsyncClient, sessions: Sessions, settings: Settings, tmp_path: Path
) -> None:
    """Times count for every severity of an alert; one that is switched off has no rule."""
    before = await rendered(sessions, settings)
    patient = {"for_seconds": 600, "keep_firing_for_seconds": 900}
    changed = await client.patch(f"{URL}/CpuHigh", json=patient)
    assert changed.status_code == 200, changed.text
    assert changed.json().items() >= patient.items()
    assert changed.json()["shipped"] == {"for_seconds": 300, "keep_firing_for_seconds": 0}
    off = await client.patch(f"{URL}/DeviceRebooted", json={"enabled": False})
    assert off.json()["enabled"] is False

    after = await rendered(sessions, settings)
    assert before.keys() - after.keys() == {"DeviceRebooted"}
    assert [(r["for"], r["keep_firing_for"]) for r in after["CpuHigh"]] == [("600s", "900s")] * 2
    assert after["MemoryHigh"] == before["MemoryHigh"]
    async with sessions() as session:
        files = (await service.wanted(session, settings)).files
    paths = [tmp_path / name for name in files]
    for path in paths:
        path.write_text(files[path.name])
    await promtool.check_rules(tool("promtool"), paths, 60)


async def test_null_is_as_it_is_shipped(
    client: AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    """What was changed is taken back, and the rule set is the one from before."""
    before = await rendered(sessions, settings)
    await client.patch(f"{URL}/DeviceDown", json={"for_seconds": 0, "enabled": False})
    back = await client.patch(f"{URL}/DeviceDown", json={"for_seconds": None, "enabled": True})
    assert back.json()["for_seconds"] == back.json()["shipped"]["for_seconds"]
    assert await rendered(sessions, settings) == before


async def test_two_writers(client: AsyncClient) -> None:
    """The second learns that what it saw is no more; each change is in the audit log."""
    etag = (await client.get(f"{URL}/DeviceDown")).headers["etag"]
    seen = {"If-Match": etag}
    first = await client.patch(f"{URL}/DeviceDown", json={"for_seconds": 60}, headers=seen)
    assert first.headers["etag"] == '"2"'
    second = await client.patch(f"{URL}/DeviceDown", json={"for_seconds": 90}, headers=seen)
    assert second.status_code == 412
    same = await client.patch(f"{URL}/DeviceDown", json={"for_seconds": 60})
    assert same.headers["etag"] == '"2"'
    (entry,) = await entries(client, object_type="alert rule")
    assert entry["object_name"] == "DeviceDown"
    assert (entry["before"], entry["after"]) == ({"for_seconds": None}, {"for_seconds": 60})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=DeviceDown&name=CpuHigh", {"DeviceDown", "CpuHigh"}),
        ("name__sw=Bgp", {"BgpSessionDown", "BgpSessionFlapping"}),
        ("severity=info&severity=warning", {"InterfaceDown", "InterfaceFlapping"}),
        ("severity=none", {"DeviceUnreachable", "InterfaceDown", "InterfaceFlapping"}),
        ("alertclass=cause&enabled=false", {"DeviceUnknown"}),
        ("q=PROCESSOR", {"CpuHigh"}),
    ],
)
async def test_the_list(client: AsyncClient, query: str, found: set[str]) -> None:
    """It is asked as any other list."""
    await client.patch(f"{URL}/DeviceUnknown", json={"enabled": False})
    page = (await client.get(f"{URL}?{query}")).json()
    assert {one["name"] for one in page["results"]} == found
    assert page["count"] == len(found)


async def test_the_list_in_pages(client: AsyncClient) -> None:
    """A cursor leads through all of it in the order that was asked for."""
    url, seen = f"{URL}?ordering=alertclass,-name&fields=name&limit=7&cursor=", []
    while url:
        page = (await client.get(url)).json()
        seen += [one["name"] for one in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == (await client.get(URL)).json()["count"]
    assert seen[0] == "OutageWithoutRoot"


@pytest.mark.parametrize(
    "body",
    [
        {"for_seconds": -1},
        {"for_seconds": 8 * 24 * 3600},
        {"keep_firing_for_seconds": "5m"},
        {"enabled": None},
        {"severity": "critical"},
        {"expr": "vector(1)"},
    ],
)
async def test_what_cannot_be_changed(client: AsyncClient, body: dict[str, Any]) -> None:
    """Times without bounds, severities and expressions: refused."""
    assert (await client.patch(f"{URL}/DeviceDown", json=body)).status_code == 422


async def test_who_may(client: AsyncClient, log_in: Login) -> None:
    """Rules are for all devices: who operates reads them, who administers everything changes."""
    assert (await client.patch(f"{URL}/NoSuchAlert", json={})).status_code == 404
    operator = await log_in(Role.OPERATOR, name="operator")
    assert (await operator.get(f"{URL}/DeviceDown")).status_code == 200
    assert (await operator.patch(f"{URL}/DeviceDown", json={})).status_code == 403
    site = (await client.post("/api/v1/sites", json={"name": "oslo"})).json()["id"]
    local = await log_in(Role.ADMIN, Scope(ScopeKind.SITE, site), name="local")
    assert (await local.get(URL)).status_code == 403
    assert (await local.patch(f"{URL}/DeviceDown", json={})).status_code == 403
