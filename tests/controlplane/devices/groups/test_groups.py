"""Device groups: what they hold, who may change them, and what a grant on one reaches."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from controlplane.audit.models import AuditEntry
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from tests.controlplane.conftest import Login, Service, Sessions

GROUPS, DEVICES, IMPORT = "/api/v1/device-groups", "/api/v1/devices", "/api/v1/devices/import"
INVENTORY = {
    "sites": [{"name": "north"}, {"name": "oslo", "parent": "north"}, {"name": "south"}],
    "device_roles": [{"name": "core"}, {"name": "edge"}],
    "devices": [
        {
            "name": "core-1",
            "address": "10.0.0.1",
            "site": "oslo",
            "role": "core",
            "vendor": "Cisco",
            "tags": ["gold", "lab"],
        },
        {"name": "core_2", "address": "10.0.0.2", "site": "north", "role": "core"},
        {"name": "edge-1", "address": "10.0.0.3", "site": "south", "role": "edge", "tags": ["lab"]},
        {"name": "edge-10", "address": "10.0.0.4", "vendor": "Arista", "tags": ["gold"]},
    ],
}


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin of a small inventory."""
    response = await client.post(IMPORT, json=INVENTORY)
    assert response.status_code == 200, response.text
    return client


async def put(client: AsyncClient, **asked: Any) -> str:
    """Add the group `g`, and give its id."""
    response = await client.post(GROUPS, json={"name": "g", "filter": asked})
    assert response.status_code == 201, response.text
    identity: str = response.json()["id"]
    return identity


async def names(client: AsyncClient, url: str = DEVICES) -> list[str]:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json()["results"]]


class TestMembers:
    @pytest.mark.parametrize(
        ("asked", "held"),
        [
            ({"site": "north"}, ["core-1", "core_2"]),
            ({"roles": ["core", "edge"]}, ["core-1", "core_2", "edge-1"]),
            ({"vendors": ["Arista"]}, ["edge-10"]),
            ({"tags_any": ["gold", "lab"]}, ["core-1", "edge-1", "edge-10"]),
            ({"tags_all": ["gold", "lab"]}, ["core-1"]),
            ({"pattern": "edge-?"}, ["edge-1"]),
            ({"pattern": "*1*"}, ["core-1", "edge-1", "edge-10"]),
            ({"pattern": "core_*"}, ["core_2"]),  # not any character, as LIKE has it
            ({"pattern": "edge"}, []),  # the whole name
            ({"site": "north", "roles": ["core"], "pattern": "*2"}, ["core_2"]),
        ],
    )
    async def test_a_device_meets_all_that_is_asked(
        self, inventory: AsyncClient, asked: dict[str, Any], held: list[str]
    ) -> None:
        """Each criterion narrows the group; a site is meant with what lies below it."""
        await put(inventory, **asked)
        assert await names(inventory, f"{GROUPS}/g/members") == held
        assert await names(inventory, f"{DEVICES}?group=g") == held

    async def test_they_follow_the_inventory(self, inventory: AsyncClient) -> None:
        """A device is in a group as long as it is what the filter asks for."""
        await put(inventory, roles=["core"])
        await inventory.patch(f"{DEVICES}/core-1", json={"role": "edge"})
        assert await names(inventory, f"{GROUPS}/g/members") == ["core_2"]

    async def test_each_sees_their_own(self, inventory: AsyncClient, log_in: Login) -> None:
        """Of the devices of a group those are listed that the actor sees."""
        north = (await inventory.get("/api/v1/sites/north")).json()["id"]
        group = await put(inventory, roles=["core", "edge"])
        lent = await inventory.post(GROUPS, json={"name": "lent", "filter": {"site": "oslo"}})
        assert lent.status_code == 201
        viewer = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, north), name="v")
        assert await names(viewer, GROUPS) == ["lent"]
        assert await names(viewer, f"{GROUPS}/lent/members") == ["core-1"]
        assert (await viewer.get(f"{GROUPS}/g/members")).status_code == 404
        assert await names(viewer, f"{DEVICES}?group=g") == []
        assert group

    async def test_it_takes_both_permissions(
        self, inventory: AsyncClient, service: Service
    ) -> None:
        """Who may see groups but no devices sees no members."""
        await put(inventory, roles=["core"])
        other = await service(Permission.GROUPS_READ)
        assert (await other.get(f"{GROUPS}/g")).status_code == 200
        assert (await other.get(f"{GROUPS}/g/members")).status_code == 403


class TestWriting:
    @pytest.mark.parametrize(
        ("asked", "place"),
        [
            ({}, "/filter"),
            ({"pattern": "*a*a*a*a*"}, "/filter/pattern"),
            ({"pattern": "a%"}, "/filter/pattern"),
            ({"pattern": "a\n"}, "/filter/pattern"),
            ({"pattern": "(a+)+"}, "/filter/pattern"),
            ({"roles": [""]}, "/filter/roles/0"),
            ({"roles": ["core", "nowhere"]}, "/filter/roles/1"),
            ({"site": "nowhere"}, "/filter/site"),
            ({"group": "other"}, "/filter/group"),
        ],
    )
    async def test_what_is_no_filter_is_refused(
        self, inventory: AsyncClient, asked: dict[str, Any], place: str
    ) -> None:
        """A filter asks for something, in the grammar there is, and never for another group."""
        response = await inventory.post(GROUPS, json={"name": "g", "filter": asked})
        assert response.status_code == 422, response.text
        assert [error["pointer"] for error in response.json()["errors"]] == [place]

    async def test_two_writers(self, inventory: AsyncClient) -> None:
        """The second of two writers is told the version there is, and loses nothing."""
        await put(inventory, roles=["core"])
        seen = (await inventory.get(f"{GROUPS}/g")).headers["etag"]
        assert seen == '"1"'
        headers = {"If-Match": seen}
        change = {"description": "the core"}
        first = await inventory.patch(f"{GROUPS}/g", json=change, headers=headers)
        assert (first.status_code, first.headers["etag"]) == (200, '"2"')
        for method, body in (("PATCH", {"description": "mine"}), ("DELETE", None)):
            second = await inventory.request(method, f"{GROUPS}/g", json=body, headers=headers)
            assert (second.status_code, second.headers["etag"]) == (412, '"2"')
        group = (await inventory.get(f"{GROUPS}/g")).json()
        assert group["description"] == "the core"
        again = await inventory.patch(f"{GROUPS}/g", json=change, headers={"If-Match": '"2"'})
        assert again.json()["version"] == 2  # nothing changed

    async def test_what_is_used_stays(self, inventory: AsyncClient) -> None:
        """A site that a group is about is not removed, nor is a name given twice."""
        await put(inventory, site="south")
        await inventory.delete(f"{DEVICES}/edge-1")
        refused = await inventory.delete("/api/v1/sites/south")
        assert (refused.status_code, "g" in refused.json()["detail"]) == (409, True)
        twice = await inventory.post(GROUPS, json={"name": "g", "filter": {"roles": ["x"]}})
        assert twice.status_code == 409
        assert (await inventory.delete(f"{GROUPS}/g")).status_code == 204
        assert (await inventory.delete("/api/v1/sites/south")).status_code == 204

    async def test_it_is_in_the_log(self, inventory: AsyncClient, sessions: Sessions) -> None:
        """Who made a group of what, and what became of it, is in the audit log."""
        await put(inventory, roles=["core"])
        await inventory.patch(f"{GROUPS}/g", json={"filter": {"roles": ["edge"]}})
        await inventory.delete(f"{GROUPS}/g")
        async with sessions() as session:
            found = await session.scalars(
                select(AuditEntry)
                .where(AuditEntry.object_type == "group")  # type: ignore[arg-type]
                .order_by(AuditEntry.seq)  # type: ignore[arg-type]
            )
            made, changed, removed = found
        assert made.after is not None
        assert made.after["filter"]["roles"] == ["core"]
        assert changed.before is not None
        assert changed.after is not None
        assert changed.before["filter"]["roles"] == ["core"]
        assert changed.after["filter"]["roles"] == ["edge"]
        assert removed.before is not None


class TestScope:
    """A grant on a group."""

    async def test_it_reaches_what_the_group_holds(
        self, inventory: AsyncClient, log_in: Login
    ) -> None:
        """Lists, searches and single devices are those of the group, as it is now."""
        group = await put(inventory, tags_any=["lab"], roles=["core", "edge"])
        guest = await log_in(Role.VIEWER, Scope(ScopeKind.GROUP, group), name="guest")
        assert await names(guest) == ["core-1", "edge-1"]
        assert await names(guest, f"{DEVICES}?q=10.0.0.") == ["core-1", "edge-1"]
        assert await names(guest, "/api/v1/sites") == []
        assert (await guest.get(f"{DEVICES}/core_2")).status_code == 404
        assert await names(guest, GROUPS) == ["g"]
        change = {"filter": {"vendors": ["Arista"]}}
        assert (await inventory.patch(f"{GROUPS}/g", json=change)).status_code == 200
        assert await names(guest) == ["edge-10"]
        await inventory.patch(f"{DEVICES}/core_2", json={"vendor": "Arista"})
        assert await names(guest) == ["core_2", "edge-10"]

    async def test_a_site_that_is_not_seen_is_not_named(
        self, inventory: AsyncClient, log_in: Login
    ) -> None:
        """Whoever holds a role on a group learns nothing of sites from it."""
        group = await put(inventory, site="north")
        guest = await log_in(Role.VIEWER, Scope(ScopeKind.GROUP, group), name="guest")
        assert await names(guest) == ["core-1", "core_2"]
        assert (await guest.get(f"{GROUPS}/g")).json()["filter"]["site"] is None

    async def test_a_write_stays_within(self, inventory: AsyncClient, log_in: Login) -> None:
        """A device is looked at as it was written: none leaves the group by the hand of a guest."""
        group = await put(inventory, roles=["core"])
        guest = await log_in(Role.OPERATOR, Scope(ScopeKind.GROUP, group), name="guest")
        left = await guest.patch(f"{DEVICES}/core-1", json={"role": "edge"})
        assert left.status_code == 403
        assert (await guest.patch(f"{DEVICES}/core-1", json={"tags": []})).status_code == 200
        new = {"name": "new", "address": "10.0.0.9"}
        assert (await guest.post(DEVICES, json=new)).status_code == 403
        assert (await guest.post(DEVICES, json=new | {"role": "core"})).status_code == 201

    async def test_nobody_widens_their_own(self, inventory: AsyncClient, log_in: Login) -> None:
        """What a group holds that a grant names is changed by who could give that grant."""
        group = await put(inventory, roles=["core"])
        guest = await log_in(Role.OPERATOR, Scope(ScopeKind.GROUP, group), name="guest")
        everywhere = await log_in(Role.OPERATOR, name="everywhere")
        wider = {"filter": {"roles": ["core", "edge"]}}
        for operator in (guest, everywhere):
            refused = await operator.patch(f"{GROUPS}/g", json=wider)
            assert refused.status_code == 403, refused.text
            words = {"description": "mine"}
            assert (await operator.patch(f"{GROUPS}/g", json=words)).status_code == 200
        mine = {"name": "mine", "filter": {"roles": ["edge"]}}
        assert (await guest.post(GROUPS, json=mine)).status_code == 403
        assert await names(guest) == ["core-1", "core_2"]
        assert (await inventory.patch(f"{GROUPS}/g", json=wider)).status_code == 200
        assert await names(guest) == ["core-1", "core_2", "edge-1"]

    async def test_an_admin_changes_no_scope_of_a_super_admin(
        self, inventory: AsyncClient, log_in: Login
    ) -> None:
        """Who could not give a role does not change what it is held on either."""
        group = await put(inventory, roles=["core"])
        await log_in(Role.SUPER_ADMIN, Scope(ScopeKind.GROUP, group), name="chief")
        wider = {"filter": {"roles": ["edge"]}}
        assert (await inventory.patch(f"{GROUPS}/g", json=wider)).status_code == 403

    async def test_groups_of_ones_own_site(self, inventory: AsyncClient, log_in: Login) -> None:
        """Whoever writes at a site makes groups of what stands there, and of nothing else."""
        north = (await inventory.get("/api/v1/sites/north")).json()["id"]
        operator = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, north), name="o")
        for asked, status in (
            ({"roles": ["core"]}, 403),
            ({"site": "south"}, 422),
            ({"site": "oslo", "roles": ["core"]}, 201),
        ):
            group = {"name": "g", "filter": asked}
            assert (await operator.post(GROUPS, json=group)).status_code == status
        moved = await operator.patch(f"{GROUPS}/g", json={"filter": {"roles": ["core"]}})
        assert moved.status_code == 403
        assert (await operator.delete(f"{GROUPS}/g")).status_code == 204

    async def test_given_and_taken_by_name(self, inventory: AsyncClient, log_in: Login) -> None:
        """A grant names its group, and keeps it from being removed."""
        await put(inventory, roles=["core"])
        guest = await log_in(Role.VIEWER, Scope(ScopeKind.TAG, "none"), name="guest")
        grants = "/api/v1/users/guest/grants"
        grant = {"role": "viewer", "scope": "group", "group": "g"}
        given = await inventory.post(grants, json=grant)
        assert given.status_code == 201, given.text
        assert given.json()["group"] == "g"
        assert await names(guest) == ["core-1", "core_2"]
        assert (await inventory.post(grants, json=grant)).status_code == 409
        unknown = await inventory.post(grants, json=grant | {"group": "h"})
        assert unknown.json()["errors"][0]["pointer"] == "/group"
        refused = await inventory.delete(f"{GROUPS}/g")
        assert refused.status_code == 409
        assert (await inventory.delete(f"{grants}/{given.json()['id']}")).status_code == 204
        assert await names(guest) == []
        assert (await inventory.delete(f"{GROUPS}/g")).status_code == 204
