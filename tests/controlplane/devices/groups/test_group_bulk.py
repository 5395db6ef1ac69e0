"""Device groups in bulk: lists on the URL of the list."""

from typing import Any

import pytest
from httpx import AsyncClient, Response

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login
from tests.controlplane.devices.answers import names, told

URL = "/api/v1/device-groups"


def group(name: str, **asked: Any) -> dict[str, Any]:
    return {"name": name, "filter": asked or {"tags_any": ["lab"]}}


async def send(client: AsyncClient, method: str, rows: Any) -> Response:
    return await client.request(method, URL, json=rows)


@pytest.fixture
async def two(client: AsyncClient) -> AsyncClient:
    """Give a client of an inventory with a group of a site, and one of a tag."""
    await client.post("/api/v1/sites", json={"name": "north"})
    response = await send(client, "POST", [group("a", site="north"), group("b")])
    assert response.status_code == 201, response.text
    assert [row["name"] for row in response.json()["results"]] == ["a", "b"]
    return client


async def test_create(two: AsyncClient) -> None:
    """None is added where one cannot be, and every error of every row is told."""
    rows = [group("c"), group("d", site="nowhere"), group("e", site="here", tags_any=["x"])]
    response = await send(two, "POST", rows)
    assert response.status_code == 422
    assert told(response) == [(2, "/1/filter/site", "unknown"), (3, "/2/filter/site", "unknown")]
    response = await send(two, "POST", [group("c"), group("a"), group("c")])
    assert sorted(told(response)) == [(2, "/1/name", "exists"), (3, "/2/name", "twice")]
    assert await names(two, URL) == ["a", "b"]


async def test_update(two: AsyncClient) -> None:
    """Fields left out stay, a filter is replaced as a whole, and a stale row stops all."""
    rows = [{"name": "a", "description": "x"}, group("b", tags_all=["gold"])]
    response = await send(two, "PATCH", rows)
    assert response.status_code == 200, response.text
    assert [row["version"] for row in response.json()["results"]] == [2, 2]
    read = (await two.get(f"{URL}/b")).json()["filter"]
    assert (read["tags_any"], read["tags_all"]) == ([], ["gold"])
    assert (await two.get(f"{URL}/a")).json()["filter"]["site"] == "north"
    rows = [{"name": n, "description": "y", "version": v} for n, v in (("a", 2), ("b", 1))]
    stale = await send(two, "PATCH", rows)
    assert (stale.status_code, told(stale)) == (412, [(2, "/1/version", "stale")])
    assert (await two.get(f"{URL}/a")).json()["description"] == "x"


async def test_delete(two: AsyncClient, log_in: Login) -> None:
    """A group on which somebody holds a role stays, and the others with it."""
    b = (await two.get(f"{URL}/b")).json()["id"]
    await log_in(Role.VIEWER, Scope(ScopeKind.GROUP, b), name="guest")
    response = await send(two, "DELETE", [{"name": "a"}, {"name": "b"}])
    assert (response.status_code, told(response)) == (409, [(2, "/1/name", "conflict")])
    assert await names(two, URL) == ["a", "b"]
    assert (await send(two, "DELETE", [{"name": "a", "version": 1}])).status_code == 204
    assert await names(two, URL) == ["b"]


async def test_scope(two: AsyncClient, log_in: Login) -> None:
    """Groups beyond one's sites are unknown, and none is made that holds more than those."""
    north = (await two.get("/api/v1/sites/north")).json()["id"]
    operator = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, north), name="northerner")
    for method in ("PATCH", "DELETE"):
        response = await send(operator, method, [{"name": n} for n in ("a", "b", "zzz")])
        assert response.status_code == 422
        assert told(response) == [(2, "/1/name", "unknown"), (3, "/2/name", "unknown")]
        hidden, nowhere = (error["message"] for error in response.json()["errors"])
        assert hidden.replace("'b'", "'zzz'") == nowhere
    refused = await send(operator, "POST", [group("c", site="north"), group("d")])
    assert (refused.status_code, told(refused)) == (403, [(2, "/1/name", "forbidden")])
    assert await names(two, URL) == ["a", "b"]
    viewer = await log_in(Role.VIEWER)
    assert (await send(viewer, "POST", [group("c")])).status_code == 403
