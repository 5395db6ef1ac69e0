"""What the endpoints leave in the audit log."""

from typing import Any

import pytest
from httpx import AsyncClient

URL = "/api/v1/audit"
CANARY = "canary-community"


async def entries(client: AsyncClient, **filters: str) -> list[dict[str, Any]]:
    response = await client.get(URL, params={"ordering": "seq", "limit": 1000, **filters})
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["results"]
    return found


@pytest.mark.usefixtures("roles")
async def test_a_device_from_first_to_last(client: AsyncClient) -> None:
    """Each change says who, from where, in which request, and what was before and after."""
    device = {"name": "core1", "address": "10.0.0.1", "role": "core"}
    made = await client.post("/api/v1/devices", json=device)
    await client.patch("/api/v1/devices/core1", json={"role": "edge", "tags": ["lab"]})
    await client.patch("/api/v1/devices/core1", json={"role": "edge"})  # changes nothing
    await client.delete("/api/v1/devices/core1")
    created, updated, deleted = await entries(client, object_type="device")
    assert [e["action"] for e in (created, updated, deleted)] == [
        "data.create",
        "data.update",
        "data.delete",
    ]
    assert created["actor_name"] == "admin"
    assert created["address"] == "127.0.0.1"
    assert created["request_id"] == made.headers["x-request-id"]
    assert created["object_id"] == made.json()["id"]
    assert created["after"]["role"] == "core"
    assert updated["before"] == {"role": "core", "tags": []}
    assert updated["after"] == {"role": "edge", "tags": ["lab"]}
    assert deleted["before"]["address"] == "10.0.0.1"


async def test_a_credential_tells_no_secret(client: AsyncClient) -> None:
    """That a secret was written is told, the secret is not."""
    url = "/api/v1/credentials"
    await client.post(url, json={"name": "lab", "version": 2, "community": CANARY})
    await client.patch(f"{url}/lab", json={"community": CANARY + "-2"})
    found = await entries(client, object_type="credential")
    assert [entry["after"]["community"] for entry in found] == ["changed", "changed"]
    assert CANARY not in str(found)


async def test_an_import_tells_of_every_row(client: AsyncClient) -> None:
    """An import is told as a whole, and each object it added or changed by itself."""
    document = {
        "sites": [{"name": "north"}],
        "device_roles": [{"name": "core"}],
        "devices": [
            {"name": f"d{number}", "address": "10.0.0.1", "site": "north"} for number in range(3)
        ],
    }
    url = "/api/v1/devices/import"
    assert (await client.post(url, json=document)).status_code == 200
    document["devices"][0]["role"] = "core"
    assert (await client.post(url, json=document)).status_code == 200
    found = await entries(client)
    told = [(entry["action"], entry["object_name"]) for entry in found]
    first = [("data.create", name) for name in ("core", "north", "d0", "d1", "d2")]
    assert told == [*first, ("data.import", ""), ("data.update", "d0"), ("data.import", "")]
    assert found[6]["before"] == {"role": None}
    assert found[6]["after"] == {"role": "core"}
    assert len({entry["request_id"] for entry in found}) == 2


async def test_a_threshold(client: AsyncClient) -> None:
    """A threshold tells what it is for, and its values before and after."""
    values = {"metric": "temperature", "warning": 50.0, "critical": 70.0}
    url = "/api/v1/thresholds"
    made = (await client.post(url, json={"scope": "all", **values})).json()
    await client.patch(f"{url}/{made['id']}", json={"warning": 55})
    await client.delete(f"{url}/{made['id']}")
    put, changed, removed = await entries(client, object_type="threshold")
    assert put["object_name"] == "temperature of all devices"
    assert put["after"].items() >= {"scope": "all", **values}.items()
    assert (changed["before"], changed["after"]) == ({"warning": 50.0}, {"warning": 55.0})
    assert removed["before"]["warning"] == 55.0


async def test_what_was_refused_changed_nothing(client: AsyncClient) -> None:
    """A change that failed leaves no entry of a change."""
    response = await client.post(
        "/api/v1/devices", json={"name": "x", "address": "10.0.0.1", "parents": ["y"]}
    )
    assert response.status_code == 422
    assert await entries(client) == []
