"""The history of objects, over HTTP."""

import pytest
from httpx import AsyncClient
from pydantic import BaseModel

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from controlplane.devices.groups.schemas import FilterRead, GroupRead
from controlplane.devices.schemas import DeviceFields, SiteRead
from controlplane.history.nouns import REFERENCES
from controlplane.provisioning.alerting_rules.schemas import RuleRead
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


async def test_where_somebody_asked_from_is_for_readers_of_the_audit_log(
    client: AsyncClient, log_in: Login
) -> None:
    """Whoever reads devices learns who changed one, not from which address."""
    await _moved(client)
    viewer = await log_in(Role.VIEWER, name="viewer")
    of = {
        who: (await asking.get(f"{DEVICES}/edge/history")).json()["results"][0]
        for who, asking in (("admin", client), ("viewer", viewer))
    }

    assert of["admin"]["address"]
    assert not of["viewer"]["address"]
    assert of["viewer"]["actor_name"] == "admin"


# What holds no name of another object, or one that everybody sees: the catalogue, roles, tags.
PLAIN = {
    *("id", "version", "created_at", "updated_at", "name", "description", "filter"),
    *("address", "port", "role", "vendor", "profile", "modules", "tags", "status"),
    *("device_type", "platform", "tenant", "serial", "asset_tag"),
    *("roles", "vendors", "tags_any", "tags_all", "pattern"),
    # A rule never leaves its site: who reads its history reads what they see.
    *("expr", "for_seconds", "keep_firing_for_seconds", "severity", "summary", "runbook"),
    *("failure", "owner"),
}


@pytest.mark.parametrize("schema", [DeviceFields, SiteRead, GroupRead, FilterRead, RuleRead])
def test_every_field_is_known_to_name_another_object_or_none(schema: type[BaseModel]) -> None:
    """A new field that names something must not tell it to those who do not see it."""
    assert schema.model_fields.keys() <= PLAIN | REFERENCES.keys()
