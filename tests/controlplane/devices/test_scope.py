"""What a person sees and changes who holds a role on a part of the inventory."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from tests.controlplane.conftest import Login, Service

DEVICES, SITES, IMPORT = "/api/v1/devices", "/api/v1/sites", "/api/v1/devices/import"

# north contains oslo; south is another world. The way to bergen leads through the south.
INVENTORY = {
    "credentials": [
        {"name": "north-key", "version": 2, "community": "public"},
        {"name": "south-key", "version": 2, "community": "public"},
    ],
    "sites": [
        {"name": "oslo", "parent": "north"},  # before its parent: the order means nothing
        {"name": "north"},
        {"name": "south"},
    ],
    "devices": [
        {"name": "rome", "address": "10.0.0.1", "site": "south", "credentials": ["south-key"]},
        {"name": "oslo1", "address": "10.0.0.2", "site": "oslo", "credentials": ["north-key"]},
        {
            "name": "bergen",
            "address": "10.0.0.3",
            "site": "north",
            "parents": ["rome", "oslo1"],
            "tags": ["lent"],
        },
        {"name": "stray", "address": "10.0.0.4"},
        {"name": "milan", "address": "10.0.0.5", "site": "south", "tags": ["lent"]},
    ],
}

Names = Callable[..., Awaitable[list[str]]]
SiteOf = Callable[[str], Awaitable[Scope]]


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin of a whole inventory."""
    response = await client.post(IMPORT, json=INVENTORY)
    assert response.status_code == 200, response.text
    return client


@pytest.fixture
def site(inventory: AsyncClient) -> SiteOf:
    """Give a function that makes the scope of a site."""

    async def site(name: str) -> Scope:
        return Scope(ScopeKind.SITE, (await inventory.get(f"{SITES}/{name}")).json()["id"])

    return site


@pytest.fixture
async def northerner(log_in: Login, site: SiteOf) -> AsyncClient:
    """Give an operator of the north."""
    return await log_in(Role.OPERATOR, await site("north"), name="northerner")


@pytest.fixture
def names() -> Names:
    """Give a function that lists names."""

    async def names(client: AsyncClient, url: str = DEVICES) -> list[str]:
        response = await client.get(url)
        assert response.status_code == 200, response.text
        return [item["name"] for item in response.json()["results"]]

    return names


class TestReading:
    async def test_a_site_reaches_what_lies_below_it(
        self, northerner: AsyncClient, names: Names
    ) -> None:
        """Lists, filters, searches and counts know nothing of what is elsewhere."""
        assert await names(northerner) == ["bergen", "oslo1"]
        assert await names(northerner, f"{DEVICES}?q=10.0.0.") == ["bergen", "oslo1"]
        assert await names(northerner, f"{DEVICES}?name=rome") == []
        assert await names(northerner, f"{DEVICES}?site=south") == []
        assert (await northerner.get(DEVICES)).json()["count"] == 2
        assert await names(northerner, SITES) == ["north", "oslo"]
        assert await names(northerner, f"{SITES}?parent=north") == ["oslo"]

    async def test_what_is_lent(self, inventory: AsyncClient, log_in: Login, names: Names) -> None:
        """A grant on a tag reaches the devices that carry it, and follows the tag."""
        guest = await log_in(Role.VIEWER, Scope(ScopeKind.TAG, "lent"), name="guest")
        assert await names(guest) == ["bergen", "milan"]
        assert await names(guest, SITES) == []
        await inventory.patch(f"{DEVICES}/milan", json={"tags": []})
        assert await names(guest) == ["bergen"]

    async def test_several_grants_add_up(self, log_in: Login, site: SiteOf, names: Names) -> None:
        """Who holds a role here and there sees both, and still nothing else."""
        scopes = (await site("oslo"), Scope(ScopeKind.TAG, "lent"))
        both = await log_in(Role.VIEWER, *scopes, name="both")
        assert await names(both) == ["bergen", "milan", "oslo1"]

    async def test_a_device_tells_only_of_what_is_seen(self, northerner: AsyncClient) -> None:
        """A parent outside the scope is not named; a device outside it is not there."""
        device = (await northerner.get(f"{DEVICES}/bergen")).json()
        assert device["parents"] == ["oslo1"]
        hidden = await northerner.get(f"{DEVICES}/rome")
        nothing = await northerner.get(f"{DEVICES}/nothing")
        assert hidden.status_code == nothing.status_code == 404
        assert hidden.json()["detail"].replace("rome", "nothing") == nothing.json()["detail"]

    async def test_credentials_are_those_of_the_devices(
        self, northerner: AsyncClient, names: Names
    ) -> None:
        """Of credentials those are seen that a device in reach is asked with."""
        assert await names(northerner, "/api/v1/credentials") == ["north-key"]
        assert (await northerner.get("/api/v1/credentials/south-key")).status_code == 404


class TestWriting:
    async def _put(self, client: AsyncClient, **fields: Any) -> int:
        device = {"name": "new", "address": "10.0.1.1", **fields}
        return (await client.post(DEVICES, json=device)).status_code

    async def test_inside_the_scope(self, northerner: AsyncClient, names: Names) -> None:
        """Devices are added, changed, moved and removed where the role is held."""
        assert await self._put(northerner, site="oslo", credentials=["north-key"]) == 201
        moved = await northerner.patch(f"{DEVICES}/new", json={"site": "north"})
        assert moved.status_code == 200, moved.text
        assert (await northerner.delete(f"{DEVICES}/new")).status_code == 204
        assert await names(northerner) == ["bergen", "oslo1"]

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({}, 403),  # at no site: as written it is outside
            ({"site": "south"}, 422),  # a site that is not there for them
            ({"site": "oslo", "parents": ["rome"]}, 422),
            ({"site": "oslo", "credentials": ["south-key"]}, 422),
            ({"site": "oslo", "name": "rome"}, 409),  # names are taken for all
        ],
    )
    async def test_what_reaches_outside_is_refused(
        self, northerner: AsyncClient, inventory: AsyncClient, fields: dict[str, Any], status: int
    ) -> None:
        """Nothing is written outside the scope, and nothing outside is named or used."""
        assert await self._put(northerner, **fields) == status
        assert (await inventory.get(f"{DEVICES}/new")).status_code == 404
        assert (await inventory.get(f"{DEVICES}/rome")).json()["site"] == "south"

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"site": None}, 403),
            ({"site": "south"}, 422),
            ({"credentials": ["south-key"]}, 422),
            ({"parents": ["rome"]}, 422),
        ],
    )
    async def test_a_device_cannot_be_moved_out(
        self, northerner: AsyncClient, inventory: AsyncClient, fields: dict[str, Any], status: int
    ) -> None:
        """A device is looked at as it was written; what left the scope is taken back."""
        before = (await inventory.get(f"{DEVICES}/oslo1")).json()
        response = await northerner.patch(f"{DEVICES}/oslo1", json=fields)
        assert response.status_code == status, response.text
        assert (await inventory.get(f"{DEVICES}/oslo1")).json() == before

    async def test_an_unseen_parent_stays(
        self, northerner: AsyncClient, inventory: AsyncClient
    ) -> None:
        """Who changes the parents they see does not remove the ones they do not see."""
        response = await northerner.patch(f"{DEVICES}/bergen", json={"parents": []})
        assert response.status_code == 200, response.text
        assert (await inventory.get(f"{DEVICES}/bergen")).json()["parents"] == ["rome"]

    async def test_a_cycle_names_nothing_unseen(
        self, northerner: AsyncClient, inventory: AsyncClient
    ) -> None:
        """The way that closes a cycle is told without the devices outside the scope."""
        await inventory.patch(f"{DEVICES}/bergen", json={"parents": ["rome"]})
        await inventory.patch(f"{DEVICES}/rome", json={"parents": ["stray"]})
        await inventory.patch(f"{DEVICES}/stray", json={"parents": ["oslo1"]})
        response = await northerner.patch(f"{DEVICES}/oslo1", json={"parents": ["bergen"]})
        assert response.status_code == 422
        assert "bergen" in response.json()["detail"]
        assert "rome" not in response.text
        assert "stray" not in response.text

    async def test_a_refusal_names_nothing_unseen(
        self, northerner: AsyncClient, inventory: AsyncClient
    ) -> None:
        """That unseen devices stand behind a device keeps it from being removed, namelessly."""
        await inventory.patch(f"{DEVICES}/bergen", json={"parents": []})
        await inventory.patch(f"{DEVICES}/rome", json={"parents": ["oslo1"]})
        response = await northerner.delete(f"{DEVICES}/oslo1")
        assert response.status_code == 409
        assert response.json()["detail"] == "behind 'oslo1' stand 1 that you do not see"

    async def test_seen_but_not_writable(self, log_in: Login, site: SiteOf) -> None:
        """Who may see a device but not change it is told so, for there is nothing to hide."""
        viewer = await log_in(Role.VIEWER, await site("north"), name="mixed")
        assert (await viewer.patch(f"{DEVICES}/oslo1", json={})).status_code == 403

    @pytest.mark.usefixtures("roles")
    async def test_permissions_do_not_leak_between_scopes(
        self, log_in: Login, site: SiteOf, inventory: AsyncClient
    ) -> None:
        """A role that writes here and one that reads there do not make one that writes there."""
        user = await log_in(Role.OPERATOR, await site("north"), name="both")
        grant = {"role": "viewer", "scope": "site", "site": "south"}
        assert (await inventory.post("/api/v1/users/both/grants", json=grant)).status_code == 201
        assert (await user.get(f"{DEVICES}/rome")).status_code == 200
        refused = await user.patch(f"{DEVICES}/rome", json={"role": "core"})
        assert refused.status_code == 403
        assert (await user.patch(f"{DEVICES}/oslo1", json={"role": "core"})).status_code == 200


class TestImport:
    async def test_it_asks_for_what_each_row_needs(
        self, northerner: AsyncClient, inventory: AsyncClient
    ) -> None:
        """An import is no way around: rows outside the scope are refused, all of them told."""
        document = {
            "devices": [
                {"name": "rome", "address": "192.0.2.1", "site": "oslo"},
                {"name": "new", "address": "192.0.2.2", "site": "south"},
                {"name": "newer", "address": "192.0.2.3", "site": "oslo", "parents": ["milan"]},
                {"name": "newest", "address": "192.0.2.4", "credentials": ["south-key"]},
            ]
        }
        response = await northerner.post(IMPORT, json=document)
        assert response.status_code == 422, response.text
        assert {error["pointer"] for error in response.json()["errors"]} == {
            "/devices/0/name",
            "/devices/1/site",
            "/devices/2/parents/0",
            "/devices/3/credentials/0",
        }
        assert (await inventory.get(f"{DEVICES}/rome")).json()["address"] == "10.0.0.1"

    async def test_a_device_at_no_site(self, northerner: AsyncClient) -> None:
        """A row that ends up outside the scope refuses the whole import."""
        document = {"devices": [{"name": "new", "address": "192.0.2.1"}]}
        assert (await northerner.post(IMPORT, json=document)).status_code == 403

    async def test_within_the_scope_it_works(self, northerner: AsyncClient, names: Names) -> None:
        """New sites below one's own, devices at them and ways between them arrive together."""
        document = {
            "sites": [{"name": "tromso", "parent": "north"}],
            "devices": [
                {"name": "t1", "address": "192.0.2.1", "site": "tromso", "parents": ["t2"]},
                {"name": "t2", "address": "192.0.2.2", "site": "tromso"},
            ],
        }
        response = await northerner.post(IMPORT, json=document)
        assert response.status_code == 200, response.text
        assert await names(northerner) == ["bergen", "oslo1", "t1", "t2"]

    async def test_credentials_are_written_by_those_who_hold_all(
        self, inventory: AsyncClient, log_in: Login, site: SiteOf
    ) -> None:
        """An admin of one site imports no credential: it could be the one of all other sites."""
        local = await log_in(Role.ADMIN, await site("north"), name="local")
        url = "/api/v1/credentials/south-key"
        before = (await inventory.get(url)).json()
        for name in ("south-key", "north-key", "mine"):
            row = {"name": name, "version": 2, "community": "changed"}
            for way in (IMPORT, f"{IMPORT}/json", f"{IMPORT}/json?dry_run=true"):
                answer = await local.post(way, json={"credentials": [row]})
                assert answer.status_code == 403, (way, name)
        assert (await inventory.get(url)).json() == before

    async def test_rows_of_other_nouns_need_their_permissions(self, service: Service) -> None:
        """Who may write devices alone brings no sites and no credentials along."""
        writer = await service(Permission.DEVICES_WRITE)
        for noun, row in (
            ("sites", {"name": "x"}),
            ("credentials", {"name": "x", "version": 2, "community": "y"}),
        ):
            response = await writer.post(IMPORT, json={noun: [row]})
            assert response.status_code == 403
            assert f"{noun}:write" in response.json()["detail"]


class TestSites:
    async def test_new_sites_lie_below_ones_own(self, northerner: AsyncClient) -> None:
        """A site of one's own world can be added, a new world or a part of another cannot."""
        for parent, status in (("north", 201), ("south", 422), (None, 403)):
            site = {"name": f"new-{parent}".lower(), "parent": parent}
            assert (await northerner.post(SITES, json=site)).status_code == status

    async def test_a_site_is_not_moved_out(self, northerner: AsyncClient) -> None:
        """Nobody takes a site out of their own scope, or from another's."""
        assert (await northerner.patch(f"{SITES}/oslo", json={"parent": None})).status_code == 403
        assert (await northerner.patch(f"{SITES}/south", json={})).status_code == 404

    async def test_no_cycle(self, inventory: AsyncClient) -> None:
        """A site is no part of itself, however long the way around."""
        response = await inventory.patch(f"{SITES}/north", json={"parent": "oslo"})
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == "cycle"

    async def test_what_holds_something_stays(self, inventory: AsyncClient) -> None:
        """A site with a part, a device or somebody's role on it is not removed."""
        north = await inventory.delete(f"{SITES}/north")
        assert north.status_code == 409
        assert "bergen" in north.json()["detail"]
        await inventory.post(SITES, json={"name": "empty"})
        grant = {"role": "viewer", "scope": "site", "site": "empty"}
        given = await inventory.post("/api/v1/users/admin/grants", json=grant)
        assert given.status_code == 201, given.text
        assert (await inventory.delete(f"{SITES}/empty")).status_code == 409
        taken = await inventory.delete(f"/api/v1/users/admin/grants/{given.json()['id']}")
        assert taken.status_code == 204
        assert (await inventory.delete(f"{SITES}/empty")).status_code == 204


async def test_polls_reach_no_further_than_the_right_to_change(log_in: Login, site: SiteOf) -> None:
    """Who does not see a device cannot have it polled, and who only sees it may not."""
    viewer = await log_in(Role.VIEWER, await site("north"), name="onlooker")
    assert (await viewer.post(f"{DEVICES}/oslo1/poll")).status_code == 403
    assert (await viewer.post(f"{DEVICES}/rome/poll")).status_code == 403
    never = await viewer.get(f"{DEVICES}/oslo1/poll")
    assert (never.status_code, "was not polled" in never.text) == (404, True)
    assert "there is no device" in (await viewer.get(f"{DEVICES}/rome/poll")).text
    operator = await log_in(Role.OPERATOR, await site("north"), name="keeper")
    assert (await operator.post(f"{DEVICES}/rome/poll")).status_code == 404
