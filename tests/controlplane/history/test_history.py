"""The history of objects, over HTTP."""

import pytest
from httpx import AsyncClient
from pydantic import BaseModel

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from controlplane.devices.catalogue.nouns import NOUNS
from controlplane.devices.groups.schemas import FilterRead, GroupRead
from controlplane.devices.interfaces.schemas import InterfaceUpdate
from controlplane.devices.schemas import DeviceFields, SiteRead
from controlplane.history.nouns import REFERENCES
from controlplane.metrics.baselines.schemas import BaselineRead
from controlplane.metrics.schemas import ThresholdRead
from controlplane.provisioning.alerting_rules.schemas import RuleRead
from tests.controlplane.conftest import Login

DEVICES, SITES, CHANGES = "/api/v1/devices", "/api/v1/sites", "/api/v1/changes"


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
    assert newest["fields"] == [{"field": "site", "before": "…", "after": "north"}]
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


class TestChanges:
    """The changes of all objects together."""

    async def test_one_request_is_one_group(self, client: AsyncClient) -> None:
        """What a bulk write did to several devices is found by its request, and nothing else."""
        await _moved(client)
        several = [{"name": f"leaf{n}", "address": f"10.0.1.{n}"} for n in (1, 2)]
        made = await client.post(DEVICES, json=several)
        assert made.status_code == 201, made.text
        asked = {"request_id": made.headers["x-request-id"]}
        page = (await client.get(CHANGES, params=asked)).json()

        assert [(c["object_type"], c["name"], c["action"]) for c in page["results"]] == [
            ("device", "leaf2", "data.create"),
            ("device", "leaf1", "data.create"),
        ]

    async def test_a_list_of_the_catalogue_is_one_group(self, client: AsyncClient) -> None:
        """What a bulk write did to objects of the catalogue is found by its request, too."""
        tenants = "/api/v1/tenants"
        added = await client.post(tenants, json=[{"name": "a"}, {"name": "b"}])
        assert added.status_code == 201, added.text
        rows = [{"name": "a", "description": "x"}, {"name": "b", "description": "y"}]
        changed = await client.patch(tenants, json=rows)
        asked = {"request_id": changed.headers["x-request-id"]}
        page = (await client.get(CHANGES, params=asked)).json()

        assert [(c["object_type"], c["name"], c["action"]) for c in page["results"]] == [
            ("tenant", "b", "data.update"),
            ("tenant", "a", "data.update"),
        ]

    async def test_what_was_removed_is_still_told(self, client: AsyncClient) -> None:
        """The history of a device goes on after it, with what it was, for who reads everything."""
        await _moved(client)
        assert (await client.delete(f"{DEVICES}/edge")).status_code == 204
        actions = [
            [change["action"] for change in (await client.get(url)).json()["results"]]
            for url in (f"{DEVICES}/edge/history", f"{CHANGES}?object_type=device&name=edge")
        ]
        assert actions[0] == actions[1] == ["data.delete", "data.update", "data.create"]

    async def test_only_what_is_in_reach(self, client: AsyncClient, log_in: Login) -> None:
        """Who sees the north is told of its objects alone, and of none that are no more."""
        north = Scope(ScopeKind.SITE, await _moved(client))
        gone = {"name": "gone", "address": "10.0.0.9", "site": "north"}
        assert (await client.post(DEVICES, json=gone)).status_code == 201
        assert (await client.delete(f"{DEVICES}/gone")).status_code == 204
        northerner = await log_in(Role.VIEWER, north, name="northerner")
        response = await northerner.get(CHANGES)

        assert {c["name"] for c in response.json()["results"]} == {"edge", "north"}
        assert "south" not in response.text
        assert (await northerner.get(f"{DEVICES}/gone/history")).status_code == 404

    async def test_the_catalogue_is_everybodys(self, client: AsyncClient, log_in: Login) -> None:
        """Who sees the north alone is told of the catalogue too, whatever words stand in it."""
        north = Scope(ScopeKind.SITE, await _moved(client))
        schema = {"default": {"site": "attic"}}
        field = {"name": "place", "applies_to": "device", "value_schema": schema}
        for path, body in (
            ("custom-fields", field),
            ("poll-classes", {"name": "slow", "interval": 10}),
            ("device-roles", {"name": "core"}),
        ):
            assert (await client.post(f"/api/v1/{path}", json=body)).status_code == 201
        changed = await client.patch("/api/v1/poll-classes/slow", json={"interval": 12})
        assert changed.status_code == 200
        assert (await client.delete("/api/v1/device-roles/core")).status_code == 204
        northerner = await log_in(Role.VIEWER, north, name="northerner")
        asked = {"object_type__in": "custom field,poll class,device role"}
        told = [
            [
                (c["object_type"], c["action"])
                for c in (await who.get(CHANGES, params=asked)).json()["results"]
            ]
            for who in (client, northerner)
        ]

        assert told[0] == [
            ("device role", "data.delete"),
            ("poll class", "data.update"),
            ("device role", "data.create"),
            ("poll class", "data.create"),
            ("custom field", "data.create"),
        ]
        assert told[1] == [entry for entry in told[0] if entry[0] != "device role"]
        (made,) = (await northerner.get("/api/v1/custom-fields/place/history")).json()["results"]
        assert {"field": "value_schema", "before": None, "after": schema} in made["fields"]
        page = (await northerner.get("/api/v1/poll-classes/slow/history")).json()
        assert page["results"][0]["fields"] == [{"field": "interval", "before": 10, "after": 12}]


# What holds no name of another object, or one that everybody sees: the catalogue, roles, tags.
PLAIN = {
    *("id", "kind", "version", "created_at", "updated_at", "name", "description", "filter"),
    *("contacts", "custom_fields"),
    *("address", "port", "role", "vendor", "profile", "modules", "tags", "status"),
    *("device_type", "platform", "poll_class", "tenant", "serial", "asset_tag"),
    *("roles", "vendors", "tags_any", "tags_all", "pattern"),
    *("importance", "monitored"),
    *("scope", "metric", "warning", "critical", "weight"),
    *("aggregate", "method", "by", "enabled"),
    # A rule never leaves its site: who reads its history reads what they see.
    *("expr", "for_seconds", "keep_firing_for_seconds", "severity", "summary", "runbook"),
    *("failure", "owner", "samples"),
    *("manufacturer", "model", "part_number", "colour", "interval", "timeout"),
    *("full_name", "email", "phone", "team", "applies_to", "value_schema", "required"),
}


@pytest.mark.parametrize(
    "schema",
    [
        DeviceFields,
        SiteRead,
        GroupRead,
        FilterRead,
        InterfaceUpdate,
        ThresholdRead,
        BaselineRead,
        RuleRead,
        *(noun.read for noun in NOUNS.values()),
    ],
)
def test_every_field_is_known_to_name_another_object_or_none(schema: type[BaseModel]) -> None:
    """A new field that names something must not tell it to those who do not see it."""
    assert schema.model_fields.keys() <= PLAIN | REFERENCES.keys()
