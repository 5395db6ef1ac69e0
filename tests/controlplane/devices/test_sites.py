"""Sites over HTTP."""

from typing import Any

import pytest
from httpx import AsyncClient

URL = "/api/v1/sites"


async def test_the_life_of_a_site(client: AsyncClient) -> None:
    """A site is added, listed, changed, kept while devices stand there, and removed."""
    demo = {"name": "demo", "description": "Where the lab is"}
    created = await client.post(URL, json=demo)
    assert created.status_code == 201
    assert (await client.post(URL, json=demo)).status_code == 409
    assert (await client.get(f"{URL}/demo")).json() == created.json()
    changed = await client.patch(f"{URL}/demo", json={"description": "The lab"})
    assert changed.json()["description"] == "The lab"
    assert (await client.patch(f"{URL}/demo", json={"description": None})).status_code == 422
    device = {"name": "core1", "address": "10.0.0.1", "site": "demo"}
    await client.post("/api/v1/devices", json=device)
    refused = await client.delete(f"{URL}/demo")
    assert refused.status_code == 409
    assert "core1" in refused.json()["detail"]
    await client.delete("/api/v1/devices/core1")
    assert (await client.delete(f"{URL}/demo")).status_code == 204
    assert (await client.get(URL)).json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }
    assert (await client.get(f"{URL}/demo")).status_code == 404


@pytest.fixture
async def norway(client: AsyncClient) -> AsyncClient:
    """Give an admin of a region with a site, in which there is a location, and another region."""
    for body in (
        {"name": "norway", "kind": "region"},
        {"name": "east", "kind": "region", "parent": "norway"},
        {"name": "oslo", "parent": "norway"},
        {"name": "room-1", "kind": "location", "parent": "oslo"},
    ):
        response = await client.post(URL, json=body)
        assert response.status_code == 201, response.text
    return client


async def test_sites_have_a_kind(norway: AsyncClient) -> None:
    """What nobody says is a site; lists are filtered by kind and ordered by it."""
    assert (await norway.get(f"{URL}/oslo")).json()["kind"] == "site"

    async def found(query: str) -> list[str]:
        return [s["name"] for s in (await norway.get(f"{URL}?{query}")).json()["results"]]

    assert await found("kind=region") == ["east", "norway"]
    assert await found("kind__in=region,location&ordering=-kind,name") == [
        "east",
        "norway",
        "room-1",
    ]
    assert await found("kind__n=site") == ["east", "norway", "room-1"]
    assert (await norway.get(f"{URL}?kind=building")).status_code == 422


@pytest.mark.parametrize(
    ("name", "change", "pointer"),
    [
        ("norway", {"kind": "location"}, "/parent"),
        ("norway", {"parent": "oslo"}, "/parent"),  # a cycle
        ("norway", {"kind": "site"}, "/kind"),
        ("oslo", {"parent": "room-1"}, "/parent"),
        ("room-1", {"parent": None}, "/parent"),
        ("new", {"kind": "region", "parent": "oslo"}, "/kind"),
        ("new", {"parent": "room-1"}, "/kind"),
        ("new", {"kind": "location"}, "/parent"),
        ("new", {"kind": None}, "/kind"),
    ],
)
async def test_no_place_is_a_part_of_a_smaller_one(
    norway: AsyncClient, name: str, change: dict[str, Any], pointer: str
) -> None:
    """Regions hold regions and sites, sites hold sites and locations, locations hold locations."""
    if name == "new":
        refused = await norway.post(URL, json={"name": name, **change})
    else:
        refused = await norway.patch(f"{URL}/{name}", json=change)
    assert refused.status_code == 422
    assert [e["pointer"] for e in refused.json()["errors"]] == [pointer]
    kinds = {s["name"]: s["kind"] for s in (await norway.get(URL)).json()["results"]}
    assert kinds == {"east": "region", "norway": "region", "oslo": "site", "room-1": "location"}


async def test_kinds_are_exported_and_in_the_history(norway: AsyncClient) -> None:
    """A document says what each place is, and a change of it is told."""
    exported = (await norway.get("/api/v1/devices/export")).json()
    assert {s["name"]: s["kind"] for s in exported["sites"]}["norway"] == "region"
    await norway.patch(f"{URL}/room-1", json={"kind": "site"})
    (newest, _) = (await norway.get(f"{URL}/room-1/history")).json()["results"]
    assert newest["fields"] == [{"field": "kind", "before": "location", "after": "site"}]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"name": "norway", "kind": "location", "parent": "oslo"}], ["/sites/0/parent"]),
        ([{"name": "norway", "kind": "location"}], ["/sites/0/parent"]),
        ([{"name": "norway", "kind": "site"}], ["/sites/0/kind"]),
        ([{"name": "oslo"}, {"name": "room-1", "kind": "region"}], ["/sites/1/kind"]),
        ([{"name": "room-1", "parent": None}], ["/sites/0/parent"]),
        ([{"name": "norway", "kind": "site"}, {"name": "east", "kind": "site"}], []),
        ([{"name": "east", "parent": None}, {"name": "norway", "parent": "east"}], []),
    ],
)
async def test_places_of_an_import_stand_where_all_of_them_will(
    norway: AsyncClient, rows: list[dict[str, Any]], told: list[str]
) -> None:
    """What is there counts, and what the document makes of it; one row is told of each error."""
    answer = await norway.post("/api/v1/devices/import", json={"sites": rows})
    if not told:
        assert answer.status_code == 200, answer.text
        return
    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == told
