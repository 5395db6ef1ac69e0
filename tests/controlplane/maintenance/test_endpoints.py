"""Maintenance windows over HTTP: what they cover, who may plan them, what is recorded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from controlplane.audit.models import AuditEntry
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.maintenance import coverage
from tests.controlplane.conftest import Login, Service, Sessions
from tests.controlplane.metrics.test_intent import scrape, series

URL = "/api/v1/maintenance"
INVENTORY = {
    "sites": [{"name": "north"}, {"name": "oslo", "parent": "north"}, {"name": "south"}],
    "devices": [
        {"name": "core", "address": "10.0.0.1", "site": "south"},
        {"name": "edge1", "address": "10.0.0.2", "site": "oslo", "parents": ["core"]},
        {"name": "edge2", "address": "10.0.0.3", "site": "oslo", "parents": ["core"]},
        {"name": "spare", "address": "10.0.0.4", "site": "south", "tags": ["lent"]},
        {"name": "far", "address": "10.0.0.5", "site": "north", "parents": ["edge1", "spare"]},
    ],
}


def window(name: str = "work", **changes: Any) -> dict[str, Any]:
    """Give a window that is open now, for an hour."""
    start = datetime.now(UTC) - timedelta(minutes=5)
    return {"name": name, "starts_at": f"{start:%Y-%m-%dT%H:%M:%S}", "duration": 3600, **changes}


async def plan(client: AsyncClient, name: str = "work", **changes: Any) -> dict[str, Any]:
    response = await client.post(URL, json=window(name, **changes))
    assert response.status_code == 201, response.text
    planned: dict[str, Any] = response.json()
    return planned


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    response = await client.post("/api/v1/devices/import", json=INVENTORY)
    assert response.status_code == 200, response.text
    group = {"name": "edges", "filter": {"pattern": "edge*"}}
    made = await client.post("/api/v1/device-groups", json=group)
    assert made.status_code == 201, made.text
    return client


async def covered(client: AsyncClient, name: str = "work") -> list[str]:
    response = await client.get(f"{URL}/{name}/devices")
    assert response.status_code == 200, response.text
    devices: list[str] = response.json()
    return devices


class TestCoverage:
    @pytest.mark.parametrize(
        ("about", "devices"),
        [
            ({"devices": ["core"]}, ["core"]),
            ({"devices": ["core"], "dependants": True}, ["core", "edge1", "edge2"]),
            ({"devices": ["core"], "tags": ["lent"]}, ["core", "spare"]),
            (
                {"devices": ["core"], "tags": ["lent"], "dependants": True},
                ["core", "edge1", "edge2", "far", "spare"],
            ),
            ({"sites": ["north"]}, ["edge1", "edge2", "far"]),
            ({"sites": ["oslo"]}, ["edge1", "edge2"]),
            ({"tags": ["nowhere"]}, []),
            ({"groups": ["edges"]}, ["edge1", "edge2"]),
            ({"groups": ["edges"], "devices": ["core"]}, ["core", "edge1", "edge2"]),
        ],
    )
    async def test_what_a_window_is_about(
        self, inventory: AsyncClient, about: dict[str, Any], devices: list[str]
    ) -> None:
        """Devices, sites with all below, tags; dependants only where no other way is left."""
        await plan(inventory, **about)
        assert await covered(inventory) == devices

    async def test_it_follows_the_inventory(self, inventory: AsyncClient) -> None:
        """A device that comes to a site is covered, and one that left is not."""
        await plan(inventory, sites=["oslo"])
        await inventory.patch("/api/v1/devices/spare", json={"site": "oslo"})
        await inventory.patch("/api/v1/devices/edge1", json={"site": "south"})
        assert await covered(inventory) == ["edge2", "spare"]

    async def test_a_device_can_go(self, inventory: AsyncClient) -> None:
        """A device that a window names can be removed from the inventory."""
        await plan(inventory, devices=["far", "core"])
        assert (await inventory.delete("/api/v1/devices/far")).status_code == 204
        assert (await inventory.get(f"{URL}/work")).json()["devices"] == ["core"]

    async def test_windows_about_a_device(self, inventory: AsyncClient) -> None:
        """The list can be asked for the windows about a device."""
        await plan(inventory, "a", sites=["north"])
        await plan(inventory, "b", devices=["core"])
        found = (await inventory.get(URL, params={"device": "edge1"})).json()["results"]
        assert [entry["name"] for entry in found] == ["a"]


class TestIntent:
    async def test_what_is_in_maintenance_now(
        self, inventory: AsyncClient, service: Service
    ) -> None:
        """Open windows and the status maintenance, and neither those that come nor what was."""
        await plan(inventory, devices=["core"])
        await plan(inventory, "later", devices=["far"], starts_at="2190-01-01T00:00:00")
        await plan(inventory, "over", devices=["edge2"])
        await inventory.delete(f"{URL}/over")
        await inventory.patch("/api/v1/devices/spare", json={"status": "maintenance"})
        samples = await scrape(await service(Permission.INTENT_READ))
        name = "chm_maintenance_active"
        expected = {series(name, device="core"), series(name, device="spare")}
        assert {key for key in samples if key[0] == name} == expected

    async def test_the_clock_ends_what_is_kept(
        self, inventory: AsyncClient, sessions: Sessions
    ) -> None:
        """What a scrape says is true until the next window begins or ends, and no longer."""
        await plan(inventory, devices=["core"])
        opens = (datetime.now(UTC) + timedelta(minutes=10)).replace(microsecond=0)
        await plan(inventory, "next", devices=["far"], starts_at=f"{opens:%Y-%m-%dT%H:%M:%S}")
        async with sessions() as session:
            before = await coverage.active(session, opens - timedelta(minutes=1))
            after = await coverage.active(session, before.until)
        assert (before.devices, before.until) == (("core",), opens)
        assert after.devices == ("core", "far")


class TestWindows:
    async def test_a_recurring_window_tells_when(self, inventory: AsyncClient) -> None:
        """Its occurrences are told in UTC, with the offset of each day."""
        planned = await plan(
            inventory,
            devices=["core"],
            starts_at="2100-03-27T02:00:00",
            time_zone="Europe/Berlin",
            recurrence="FREQ=DAILY",
        )
        assert planned["active"] is False
        assert planned["occurrence"]["start"] == "2100-03-27T01:00:00Z"
        query = {"after": "2100-03-27T00:00:00Z", "before": "2100-03-30T00:00:00Z"}
        found = (await inventory.get(f"{URL}/work/occurrences", params=query)).json()
        assert [o["start"][5:16] for o in found] == ["03-27T01:00", "03-28T01:00", "03-29T00:00"]

    async def test_days_can_be_left_out(self, inventory: AsyncClient) -> None:
        """On them it does not open; with every day left out it would never, and is refused."""
        daily: dict[str, Any] = {"devices": ["core"], "recurrence": "FREQ=DAILY"}
        daily |= {"starts_at": "2100-03-27T02:00:00", "exceptions": ["2100-03-28", "2100-03-27"]}
        planned = await plan(inventory, **daily)
        assert planned["exceptions"] == ["2100-03-27", "2100-03-28"]
        assert planned["occurrence"]["start"] == "2100-03-29T02:00:00Z"
        never = {"recurrence": "", "exceptions": ["2100-03-27"]}
        response = await inventory.patch(f"{URL}/work", json=never)
        assert response.status_code == 422, response.text
        changed = await inventory.patch(f"{URL}/work", json={"exceptions": []})
        assert changed.json()["occurrence"]["start"] == "2100-03-27T02:00:00Z"

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"devices": ["core"], "exceptions": ["2100-02-30"]}, "/exceptions/0"),
            ({"devices": ["core"], "exceptions": ["1900-01-01"]}, "/exceptions"),
            ({"devices": ["nobody"]}, "/devices"),
            ({"sites": ["nowhere"]}, "/sites"),
            ({"groups": ["none"]}, "/groups"),
            ({"devices": ["core"], "starts_at": "2020-01-01T00:00:00"}, "/starts_at"),
            ({"devices": ["core"], "time_zone": "Mars/Olympus"}, "/time_zone"),
            ({"devices": ["core"], "recurrence": "FREQ=SECONDLY"}, "/recurrence"),
            ({"devices": ["core"], "starts_at": "2100-01-01T00:00:00Z"}, "/starts_at"),
        ],
    )
    async def test_mistakes_are_named(
        self, inventory: AsyncClient, changes: dict[str, Any], pointer: str
    ) -> None:
        """What cannot be planned is refused with the field that is wrong."""
        response = await inventory.post(URL, json=window(**changes))
        assert response.status_code == 422
        assert pointer in [e["pointer"] for e in response.json()["errors"]], response.text

    async def test_a_window_about_nothing_is_refused(self, inventory: AsyncClient) -> None:
        """Nobody plans work on nothing."""
        response = await inventory.post(URL, json=window())
        assert response.status_code == 422
        assert "name at least one" in response.json()["detail"]

    async def test_a_change_is_seen_by_its_version(self, inventory: AsyncClient) -> None:
        """Who changes what somebody else has changed meanwhile is told so."""
        await plan(inventory, devices=["core"])
        change = {"version": 1, "duration": 7200, "devices": ["edge1"]}
        changed = await inventory.patch(f"{URL}/work", json=change)
        assert (changed.json()["version"], changed.json()["devices"]) == (2, ["edge1"])
        assert (await inventory.patch(f"{URL}/work", json=change)).status_code == 409

    async def test_the_name_of_what_was_cancelled_is_free(
        self, inventory: AsyncClient, sessions: Sessions
    ) -> None:
        """A window can be planned anew under its name; each step is in the audit log."""
        await plan(inventory, devices=["core"])
        assert (await inventory.post(URL, json=window(devices=["core"]))).status_code == 409
        assert (await inventory.delete(f"{URL}/work")).status_code == 204
        assert (await inventory.get(f"{URL}/work")).status_code == 404
        await plan(inventory, devices=["edge1"])
        async with sessions() as session:
            statement = select(AuditEntry).where(AuditEntry.object_type == "maintenance")  # type: ignore[arg-type]
            entries = list(await session.scalars(statement.order_by(AuditEntry.seq)))  # type: ignore[arg-type]
        assert [str(e.action) for e in entries] == ["data.create", "data.delete", "data.create"]
        assert entries[2].after is not None
        assert entries[2].after["devices"] == ["edge1"]


class TestScope:
    @pytest.fixture
    async def northern(self, inventory: AsyncClient, log_in: Login) -> AsyncClient:
        """Give an operator of the north."""
        site = (await inventory.get("/api/v1/sites/north")).json()["id"]
        return await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site), name="northern")

    @pytest.mark.parametrize(
        ("about", "status"),
        [
            ({"devices": ["edge1"]}, 201),
            ({"sites": ["oslo"], "dependants": True}, 201),
            ({"devices": ["core"]}, 422),
            ({"sites": ["south"]}, 422),
            ({"tags": ["lent"]}, 403),
            ({"groups": ["edges"]}, 422),
        ],
    )
    async def test_nobody_silences_what_they_do_not_see(
        self, northern: AsyncClient, about: dict[str, Any], status: int
    ) -> None:
        """An operator of one site plans work there, and nowhere else, by name, site or tag."""
        response = await northern.post(URL, json=window(**about))
        assert response.status_code == status, response.text

    async def test_dependants_elsewhere_are_not_silenced(
        self, inventory: AsyncClient, northern: AsyncClient
    ) -> None:
        """What is behind a device but outside of the scope keeps it from being silenced along."""
        behind = {"name": "secret", "address": "10.0.0.9", "site": "south", "parents": ["edge2"]}
        assert (await inventory.post("/api/v1/devices", json=behind)).status_code == 201
        refused = await northern.post(URL, json=window(devices=["edge2"], dependants=True))
        assert refused.status_code == 403
        assert "secret" not in refused.text
        assert (await northern.post(URL, json=window(devices=["edge2"]))).status_code == 201

    async def test_windows_of_others(self, inventory: AsyncClient, northern: AsyncClient) -> None:
        """A window elsewhere is not there; one that reaches here is seen, and not changed."""
        await plan(inventory, "elsewhere", devices=["core"])
        await plan(inventory, "both", devices=["core", "edge1"])
        listed = (await northern.get(URL)).json()["results"]
        assert [(entry["name"], entry["devices"]) for entry in listed] == [("both", ["edge1"])]
        assert (await northern.delete(f"{URL}/elsewhere")).status_code == 404
        assert (await northern.delete(f"{URL}/both")).status_code == 403
        widened = await northern.patch(f"{URL}/both", json={"dependants": True})
        assert widened.status_code == 403
        assert await covered(northern, "both") == ["edge1"]
        about = await northern.get(URL, params={"device": "core"})
        assert about.json()["count"] == 0

    async def test_a_tag_that_is_ones_own(self, inventory: AsyncClient, log_in: Login) -> None:
        """Who holds the permission on a tag plans work on all that carries it."""
        await inventory.get("/api/v1/sites")
        lender = await log_in(Role.OPERATOR, Scope(ScopeKind.TAG, "lent"), name="lender")
        await plan(lender, tags=["lent"])
        assert await covered(lender) == ["spare"]
