"""The history of objects, over HTTP."""

from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login

DEVICES, SITES = "/api/v1/devices", "/api/v1/sites"


async def _moved(client: AsyncClient) -> str:
    """Make a device that moved from south to north; give the id of north."""
    north = await client.post(SITES, json={"name": "north"})
    await client.post(SITES, json={"name": "south"})
    device = {"name": "edge", "address": "10.0.0.1", "site": "south"}
    assert (await client.post(DEVICES, json=device)).status_code == 201
    moved = await client.patch(f"{DEVICES}/edge", json={"site": "north"})
    assert moved.status_code == 200
    identity: str = north.json()["id"]
    return identity


async def test_a_history_tells_who_changed_what(client: AsyncClient) -> None:
    """The newest change comes first, with its fields before and after."""
    await _moved(client)
    page = (await client.get(f"{DEVICES}/edge/history")).json()

    assert page["count"] == 2
    newest = page["results"][0]
    assert newest["action"] == "data.update"
    assert newest["actor_name"] == "admin"
    assert newest["request_id"]
    assert newest["fields"] == [{"field": "site", "before": "south", "after": "north"}]


async def test_names_out_of_scope_are_hidden(client: AsyncClient, log_in: Login) -> None:
    """Whoever sees the north alone is not told that the device came from the south."""
    north = Scope(ScopeKind.SITE, await _moved(client))
    northerner = await log_in(Role.VIEWER, north, name="northerner")
    response = await northerner.get(f"{DEVICES}/edge/history")

    newest = response.json()["results"][0]
    assert newest["fields"] == [{"field": "site", "before": "hidden", "after": "north"}]
    assert "south" not in response.text


async def test_what_is_out_of_scope_has_no_history(client: AsyncClient, log_in: Login) -> None:
    """The history of a site that one does not see is that of none."""
    north = Scope(ScopeKind.SITE, await _moved(client))
    northerner = await log_in(Role.VIEWER, north, name="northerner")

    assert (await northerner.get(f"{SITES}/south/history")).status_code == 404
    assert (await northerner.get(f"{SITES}/north/history")).json()["count"] == 1
