"""Objects of the catalogue in bulk: lists on the URL of the list."""

from typing import Any

import pytest
from httpx import AsyncClient, Response

from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login
from tests.controlplane.devices.answers import told

every_noun = pytest.mark.parametrize(
    ("path", "given"),
    [
        ("contacts", {}),
        ("custom-fields", {"applies_to": "device", "value_schema": {"type": "string"}}),
        ("device-roles", {}),
        ("device-types", {}),
        ("platforms", {}),
        ("poll-classes", {"interval": 5.0}),
        ("tenants", {}),
    ],
)


async def send(client: AsyncClient, method: str, path: str, rows: Any) -> Response:
    return await client.request(method, f"/api/v1/{path}", json=rows)


@every_noun
async def test_their_life(client: AsyncClient, path: str, given: dict[str, Any]) -> None:
    """All of a list are added, changed and removed, each with its version."""
    added = await send(client, "POST", path, [{"name": n, **given} for n in ("b", "a")])
    assert added.status_code == 201, added.text
    assert [row["name"] for row in added.json()["results"]] == ["b", "a"]
    rows = [{"name": "a", "description": "x", "version": 1}, {"name": "b", "description": ""}]
    changed = await send(client, "PATCH", path, rows)
    assert [row["version"] for row in changed.json()["results"]] == [2, 1]
    stale = await send(client, "DELETE", path, [{"name": "b"}, {"name": "a", "version": 1}])
    assert (stale.status_code, told(stale)) == (412, [(2, "/1/version", "stale")])
    assert (await client.get(f"/api/v1/{path}")).json()["count"] == 2
    removed = await send(client, "DELETE", path, [{"name": "b"}, {"name": "a", "version": 2}])
    assert removed.status_code == 204
    assert (await client.get(f"/api/v1/{path}")).json()["count"] == 0


@every_noun
async def test_none_or_all(client: AsyncClient, path: str, given: dict[str, Any]) -> None:
    """What is taken, stands there twice or is not there is told of every row."""
    await send(client, "POST", path, [{"name": "a", **given}])
    rows = [{"name": n, **given} for n in ("b", "a", "b")]
    response = await send(client, "POST", path, rows)
    assert sorted(told(response)) == [(2, "/1/name", "exists"), (3, "/2/name", "twice")]
    for method in ("PATCH", "DELETE"):
        response = await send(client, method, path, [{"name": "a"}, {"name": "z"}])
        assert told(response) == [(2, "/1/name", "unknown")]
    assert (await client.get(f"/api/v1/{path}")).json()["count"] == 1


async def test_what_is_in_use_stays(client: AsyncClient, log_in: Login) -> None:
    """An object that a device names is told, and the others stay with it."""
    await send(client, "POST", "platforms", [{"name": "a"}, {"name": "b"}])
    device = {"name": "sw1", "address": "10.0.0.1", "platform": "b"}
    assert (await client.post("/api/v1/devices", json=device)).status_code == 201
    response = await send(client, "DELETE", "platforms", [{"name": "a"}, {"name": "b"}])
    assert (response.status_code, told(response)) == (409, [(2, "/1/name", "conflict")])
    assert (await client.get("/api/v1/platforms")).json()["count"] == 2
    viewer = await log_in(Role.VIEWER)
    assert (await send(viewer, "DELETE", "platforms", [{"name": "a"}])).status_code == 403


async def test_the_settings_count(client: AsyncClient) -> None:
    """A poll class that the settings of the installation do not allow is an error of its row."""
    rows = [{"name": "a", "interval": 5.0}, {"name": "b", "interval": 240.0}]
    response = await send(client, "POST", "poll-classes", rows)
    assert response.status_code == 422
    assert {row for row, _, _ in told(response)} == {2}
