"""Tags over HTTP: what devices carry, renamed and removed over all of them."""

from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login

TAGS, DEVICES = "/api/v1/tags", "/api/v1/devices"
INVENTORY: dict[str, Any] = {
    "sites": [{"name": "north"}, {"name": "south"}],
    "devices": [
        {"name": "a", "address": "10.0.0.1", "site": "north", "tags": ["gold", "lab"]},
        {"name": "b", "address": "10.0.0.2", "site": "south", "tags": ["lab", "secret"]},
        {"name": "c", "address": "10.0.0.3", "site": "north", "tags": ["Lab", "gold"]},
        {"name": "d", "address": "10.0.0.4"},
    ],
}


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin of devices with tags."""
    response = await client.post(f"{DEVICES}/import", json=INVENTORY)
    assert response.status_code == 200, response.text
    return client


@pytest.fixture
async def north(inventory: AsyncClient) -> Scope:
    """Give the scope of the north."""
    return Scope(ScopeKind.SITE, (await inventory.get("/api/v1/sites/north")).json()["id"])


async def counts(client: AsyncClient, query: str = "") -> dict[str, int]:
    answer = await client.get(f"{TAGS}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] in {None, len(answer.json()["results"])}
    return {tag["name"]: tag["devices"] for tag in answer.json()["results"]}


async def carried(client: AsyncClient) -> dict[str, list[str]]:
    return {d["name"]: d["tags"] for d in (await client.get(DEVICES)).json()["results"]}


async def test_tags_are_counted(inventory: AsyncClient) -> None:
    """Each tag is there once with the number of its devices, and the list is one like all."""
    assert await counts(inventory) == {"Lab": 1, "gold": 2, "lab": 2, "secret": 1}
    assert list(await counts(inventory, "ordering=-devices,-name")) == [
        *("lab", "gold", "secret", "Lab")
    ]
    assert list(await counts(inventory, "devices__gte=2&name__n=gold")) == ["lab"]
    assert list(await counts(inventory, "q=LA")) == ["Lab", "lab"]
    assert (await inventory.get(f"{TAGS}?tag=lab")).status_code == 422
    seen: list[str] = []
    url = f"{TAGS}?limit=3&cursor="
    while url:
        page = (await inventory.get(url)).json()
        seen += [tag["name"] for tag in page["results"]]
        url = page["next"]
    assert sorted(seen) == ["Lab", "gold", "lab", "secret"]


async def test_a_tag_of_others_is_none(log_in: Login, north: Scope) -> None:
    """Who sees the north counts its devices alone, and does not learn of other tags."""
    viewer = await log_in(Role.VIEWER, north, name="northerner")
    assert await counts(viewer) == {"Lab": 1, "gold": 2, "lab": 1}
    operator = await log_in(Role.OPERATOR, north, name="operator")
    assert (await operator.delete(f"{TAGS}/secret")).status_code == 404
    assert (await operator.delete(f"{TAGS}/nothing")).status_code == 404


async def test_renaming(inventory: AsyncClient) -> None:
    """Every device is changed in one request, with a history; a tag that is there takes them."""
    answer = await inventory.patch(f"{TAGS}/lab", json={"name": "Lab"})
    assert answer.status_code == 200, answer.text
    assert [(r["name"], r["version"]) for r in answer.json()["results"]] == [("a", 2), ("b", 2)]
    assert await carried(inventory) == {
        "a": ["gold", "Lab"],
        "b": ["Lab", "secret"],
        "c": ["Lab", "gold"],
        "d": [],
    }
    newest = (await inventory.get(f"{DEVICES}/a/history")).json()["results"][0]
    change = {"field": "tags", "before": ["gold", "lab"], "after": ["gold", "Lab"]}
    assert newest["fields"] == [change]
    merged = await inventory.patch(f"{TAGS}/gold", json={"name": "Lab"})
    assert merged.status_code == 200
    assert await counts(inventory) == {"Lab": 3, "secret": 1}
    assert (await inventory.patch(f"{TAGS}/gold", json={"name": "x"})).status_code == 404
    for name in ("a b", "", 'x"}'):
        refused = await inventory.patch(f"{TAGS}/Lab", json={"name": name})
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/name"]


async def test_only_what_one_may_write(inventory: AsyncClient, log_in: Login, north: Scope) -> None:
    """An operator of the north changes the north; one who only reads changes nothing."""
    operator = await log_in(Role.OPERATOR, north, name="operator")
    assert (await operator.patch(f"{TAGS}/lab", json={"name": "test"})).json()["count"] == 1
    assert await counts(inventory) == {"Lab": 1, "gold": 2, "lab": 1, "secret": 1, "test": 1}
    viewer = await log_in(Role.VIEWER, name="viewer")
    assert (await viewer.delete(f"{TAGS}/gold")).status_code == 403
    both = await log_in(Role.OPERATOR, north, name="both")
    grant = {"role": "viewer", "scope": "everything"}
    assert (await inventory.post("/api/v1/users/both/grants", json=grant)).status_code == 201
    refused = await both.delete(f"{TAGS}/secret")
    assert refused.status_code == 403
    assert "not write" in refused.json()["detail"]


async def test_all_or_none(inventory: AsyncClient, log_in: Login) -> None:
    """Whoever reaches devices by a tag cannot take it from them, not from one of them."""
    golden = await log_in(Role.OPERATOR, Scope(ScopeKind.TAG, "gold"), name="golden")
    assert (await golden.delete(f"{TAGS}/gold")).status_code == 403
    assert await counts(inventory, "name=gold") == {"gold": 2}
    assert (await golden.delete(f"{TAGS}/lab")).status_code == 204
    assert await carried(inventory) == {
        "a": ["gold"],
        "b": ["lab", "secret"],
        "c": ["Lab", "gold"],
        "d": [],
    }
