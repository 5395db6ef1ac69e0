"""Whose a device is: by its contacts and those of its sites, in metrics, snapshot and alerts."""

from typing import Any

import pytest
from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families

from controlplane.auth.permissions import Permission
from tests.controlplane.conftest import Service

CONTACTS = {"ann": "north", "bob": "", "cid": "south", "dan": 'fire "walls"\\'}
SITES = [
    {"name": "norway", "kind": "region", "contacts": ["bob", "ann"]},
    {"name": "oslo", "parent": "norway", "contacts": ["bob"]},
    {"name": "room1", "kind": "location", "parent": "oslo"},
    {"name": "bergen", "parent": "norway", "contacts": ["cid", "ann"]},
    {"name": "elsewhere"},
]
DEVICES: dict[str, tuple[dict[str, Any], str]] = {
    "top": ({"site": "norway"}, "north"),
    "inherits": ({"site": "room1"}, "north"),
    "nearest": ({"site": "bergen"}, "south"),
    "own": ({"site": "bergen", "contacts": ["bob", "dan", "ann"]}, CONTACTS["dan"]),
    "teamless": ({"site": "oslo", "contacts": ["bob"]}, "north"),
    "nobodys": ({"site": "elsewhere"}, "none"),
    "nowhere": ({}, "none"),
    "alone": ({"contacts": ["cid"]}, "south"),
}


@pytest.fixture
async def inventory(client: AsyncClient) -> None:
    document = {
        "contacts": [{"name": name, "team": team} for name, team in CONTACTS.items()],
        "sites": SITES,
        "devices": [
            {"name": name, "address": f"10.0.0.{number}", **fields}
            for number, (name, (fields, _)) in enumerate(DEVICES.items(), start=1)
        ],
    }
    answer = await client.post("/api/v1/devices/import", json=document)
    assert answer.status_code == 200, answer.text


async def of_sites(scraper: AsyncClient) -> dict[str, str]:
    """Give the team of each site that has one, as Prometheus is told."""
    text = (await scraper.get("/metrics/intent")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    labels = [sample.labels for sample in families["chm_site_team"].samples]
    return {one["site"]: one["team"] for one in labels}


async def info(scraper: AsyncClient) -> dict[str, str | None]:
    """Give the team of each device, as Prometheus is told."""
    text = (await scraper.get("/metrics/intent")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    labels = [sample.labels for sample in families["chm_inventory_device_info"].samples]
    return {one["device"]: one.get("team") for one in labels}


@pytest.mark.usefixtures("inventory")
async def test_the_first_contact_in_a_team_counts(client: AsyncClient, service: Service) -> None:
    """Those of a device before those of its site, and these before those of the site above."""
    scraper = await service(Permission.INTENT_READ)
    expected = {name: team for name, (_, team) in DEVICES.items()}
    assert await info(scraper) == expected
    north = dict.fromkeys(("norway", "oslo", "room1"), "north")
    assert await of_sites(scraper) == {**north, "bergen": "south"}

    assert (await client.patch("/api/v1/contacts/ann", json={"team": "noc"})).is_success
    moved = {name: "noc" if team == "north" else team for name, team in expected.items()}
    assert await info(scraper) == moved


@pytest.mark.usefixtures("inventory")
async def test_exporters_know_it_for_alerts_of_traps(service: Service) -> None:
    """The snapshot names the team, for what a trap raises has the labels of the rule's alert."""
    exporter = await service(Permission.SNAPSHOT_READ)
    devices = (await exporter.get("/api/v1/exporter/snapshot")).json()["devices"]
    assert {name: one.get("team") for name, one in devices.items()} == {
        name: team for name, (_, team) in DEVICES.items()
    }


@pytest.mark.usefixtures("inventory")
async def test_an_alert_by_hand_is_the_teams_too(client: AsyncClient) -> None:
    """It has the label as rules have it; nobody makes it up, and lists are asked for it."""
    body: dict[str, Any] = {"alertname": "Flood", "severity": "critical", "summary": "wet"}
    made = await client.post("/api/v1/alerts", json={**body, "device": "own"})
    assert made.status_code == 201, made.text
    assert made.json()["labels"]["team"] == CONTACTS["dan"]
    await client.post("/api/v1/alerts", json={**body, "device": "nowhere"})
    forged = {**body, "device": "own", "labels": {"team": "north"}}
    assert (await client.post("/api/v1/alerts", json=forged)).status_code == 422

    async def listed(**query: str) -> list[str]:
        answer = await client.get("/api/v1/alerts", params=query)
        assert answer.status_code == 200, answer.text
        return [alert["device"] for alert in answer.json()["results"]]

    assert await listed(team=CONTACTS["dan"]) == ["own"]
    assert await listed(team__n=CONTACTS["dan"]) == ["nowhere"]
