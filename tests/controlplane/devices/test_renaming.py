"""Devices, sites and groups get other names: each stays what it is, and its past stays its own."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlmodel import select

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.database import now
from controlplane.devices import names
from controlplane.devices.models import FormerName
from controlplane.provisioning.alerting_rules import expression
from controlplane.provisioning.alerting_rules.models import AlertingRule, RuleStatus
from tests.controlplane.alerts.test_webhook import alert, webhook
from tests.controlplane.conftest import Login, Service, Sessions
from tests.controlplane.devices.answers import told
from tests.controlplane.devices.interfaces.telling import learn, port
from tests.controlplane.devices.test_scope import INVENTORY
from tests.controlplane.traps.test_events import event

DEVICES, SITES, GROUPS = "/api/v1/devices", "/api/v1/sites", "/api/v1/device-groups"
IMPORT, CHANGES = f"{DEVICES}/import", "/api/v1/changes"
ALERTS, NOTICES, EVENTS = "/api/v1/alerts", "/api/v1/notifications", "/api/v1/events"
MADE: dict[str, dict[str, Any]] = {
    DEVICES: {"address": "10.0.0.1"},
    SITES: {},
    GROUPS: {"filter": {"tags_any": ["lab"]}},
}
SINGULAR = {DEVICES: "device", SITES: "site", GROUPS: "group"}
each_noun = pytest.mark.parametrize("url", MADE)


async def make(client: AsyncClient, url: str, name: str, **fields: Any) -> dict[str, Any]:
    response = await client.post(url, json={"name": name, **MADE[url], **fields})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def rename(client: AsyncClient, url: str, to: str) -> None:
    response = await client.patch(url, json={"name": to})
    assert response.status_code == 200, response.text


async def found(client: AsyncClient, url: str, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(url, params=query)
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


@each_noun
class TestOfEachNoun:
    async def test_it_is_the_same_object(self, client: AsyncClient, url: str) -> None:
        """It has its id and another version, and is where its new name is, no more at the old."""
        made = await make(client, url, "old")
        response = await client.patch(f"{url}/old", json={"name": "new"})
        assert response.status_code == 200, response.text
        renamed = response.json()
        assert (renamed["id"], renamed["name"]) == (made["id"], "new")
        assert response.headers["ETag"] == '"2"'
        assert (await client.get(f"{url}/new")).json() == renamed
        assert (await client.get(f"{url}/old")).status_code == 404
        again = await client.patch(f"{url}/new", json={"name": "new"})
        assert again.headers["ETag"] == '"2"', "the name it has already changes nothing"

    async def test_history_tells_of_both_names(self, client: AsyncClient, url: str) -> None:
        """What was done under either name is one history, and the new name is one change of it."""
        made = await make(client, url, "old")
        await client.patch(f"{url}/old", json={"name": "new", "description": "x"})
        history = f"/api/v1/{SINGULAR[url]}s/new/history"
        renamed, created = await found(client, history)
        assert [entry["name"] for entry in (renamed, created)] == ["new", "old"]
        assert [field for field in renamed["fields"] if field["field"] == "name"] == [
            {"field": "name", "before": "old", "after": "new"}
        ]
        changes = await found(client, CHANGES, object_type=SINGULAR[url])
        assert [c["name"] for c in changes if c["object_id"] == made["id"]] == ["new", "old"]

    @pytest.mark.parametrize("name", ["Old", "a b", "new\n", "", "..", "a" * 64, None, 1])
    async def test_no_name(self, client: AsyncClient, url: str, name: Any) -> None:
        """What is no name for a new object is none for an old one."""
        await make(client, url, "old")
        response = await client.patch(f"{url}/old", json={"name": name})
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == ["/name"]

    async def test_a_name_is_one_object_s(self, client: AsyncClient, url: str) -> None:
        """The name of another is a conflict, and nothing else of the change is kept either."""
        await make(client, url, "old")
        await make(client, url, "other")
        change = {"name": "other", "description": "x"}
        response = await client.patch(f"{url}/old", json=change)
        assert response.status_code == 409
        assert "'other' already exists" in response.json()["detail"]
        assert (await client.get(f"{url}/old")).json()["description"] == ""

    async def test_two_want_one_name(self, client: AsyncClient, url: str) -> None:
        """Of two objects that get the same name at once one has it, and the other keeps its own."""
        for name in ("a", "b"):
            await make(client, url, name)
        answers = await asyncio.gather(
            *(client.patch(f"{url}/{name}", json={"name": "new"}) for name in ("a", "b"))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        left = {one["name"] for one in await found(client, url)}
        assert left in ({"a", "new"}, {"b", "new"})

    async def test_two_writers(self, client: AsyncClient, url: str) -> None:
        """Whoever saw an older version renames nothing."""
        await make(client, url, "old")
        await client.patch(f"{url}/old", json={"description": "x"})
        seen = {"If-Match": '"1"'}
        stale = await client.patch(f"{url}/old", json={"name": "new"}, headers=seen)
        assert (stale.status_code, stale.headers["ETag"]) == (412, '"2"')
        seen = {"If-Match": '"2"'}
        assert (await client.patch(f"{url}/old", json={"name": "new"}, headers=seen)).is_success
        assert (await client.patch(f"{url}/new", json={"name": "x"}, headers=seen)).is_client_error

    async def test_in_a_list_a_name_says_which_one(self, client: AsyncClient, url: str) -> None:
        """Lists rename nothing: a name that nobody has is unknown."""
        await make(client, url, "old")
        response = await client.patch(url, json=[{"name": "new", "description": "x"}])
        assert told(response) == [(1, "/0/name", "unknown")]


class TestDevices:
    async def test_reserved(self, client: AsyncClient) -> None:
        """A device cannot be called as a path of the API beside it."""
        await make(client, DEVICES, "old")
        response = await client.patch(f"{DEVICES}/old", json={"name": "export"})
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == ["/name"]

    async def test_what_belongs_to_it_follows(
        self, client: AsyncClient, sessions: Sessions
    ) -> None:
        """Interfaces and their number, children, windows, thresholds: all know the new name."""
        await make(client, DEVICES, "old")
        await make(client, DEVICES, "behind", parents=["old"])
        await learn(sessions, port("old", "Gi1"), port("old", "Gi2", 2))
        work = {"name": "work", "starts_at": "2100-01-01T00:00:00", "duration": 60}
        await client.post("/api/v1/maintenance", json={**work, "devices": ["old"]})
        limit = {"metric": "jitter", "warning": 1, "critical": 2}
        scope = {"scope": "device", "device": "old"}
        await client.post("/api/v1/thresholds", json={**scope, **limit})
        await rename(client, f"{DEVICES}/old", "new")

        ports = (await client.get(f"{DEVICES}/new/interfaces")).json()
        assert (ports["count"], {p["device"] for p in ports["results"]}) == (2, {"new"})
        assert (await client.get("/api/v1/interfaces", params={"device": "new"})).json()["count"]
        assert (await client.get(f"{DEVICES}/behind")).json()["parents"] == ["new"]
        assert (await client.get("/api/v1/maintenance/work")).json()["devices"] == ["new"]
        (threshold,) = await found(client, "/api/v1/thresholds")
        assert threshold["device"] == "new"

    async def test_a_parent_among_the_change_is_called_as_before_it(
        self, client: AsyncClient
    ) -> None:
        """A device that gets a name and a parent at once may not be its own."""
        await make(client, DEVICES, "old")
        response = await client.patch(f"{DEVICES}/old", json={"name": "new", "parents": ["new"]})
        assert response.status_code == 422
        assert (await client.get(f"{DEVICES}/old")).status_code == 200

    async def test_import_goes_by_name(self, client: AsyncClient) -> None:
        """A document with the old name adds a device of that name."""
        made = await make(client, DEVICES, "old")
        await rename(client, f"{DEVICES}/old", "new")
        document = {"devices": [{"name": "old", "address": "10.0.0.9"}]}
        assert (await client.post(IMPORT, json=document)).json()["devices"]["created"] == 1
        assert (await client.get(f"{DEVICES}/new")).json()["id"] == made["id"]
        assert (await client.get(f"{DEVICES}/old")).json()["id"] != made["id"]

    async def test_a_rule_in_force_is_not_left_behind(
        self, client: AsyncClient, sessions: Sessions
    ) -> None:
        """A rule that asks for the device by its label names both first; a draft need not."""
        await make(client, DEVICES, "core.1")
        exprs = {
            "Exact": ('up{device="core.1"}', RuleStatus.LIVE),
            "Among": (r'up{device =~ "a|core\\.1|b"}', RuleStatus.FAILED),
            "Pattern": ('up{device=~"co.+[.][0-9]"} > 0', RuleStatus.LIVE),
            "Without": ('rate(x{job="a",device!~"core[.].*"}[5m]) > 0', RuleStatus.LIVE),
            "Inside": ("sum by (device) (x) > on () y{device='core.1'}", RuleStatus.LIVE),
            "Half": ('up{device="core.1"} or up{device=~".+"}', RuleStatus.LIVE),
            "Both": ('up{device=~"core.1|core-1"}', RuleStatus.LIVE),
            "Twice": ('up{device="core.1"} or up{device="core-1"}', RuleStatus.LIVE),
            "Every": ('up{device=~"core.*"} or up{device!=""}', RuleStatus.LIVE),
            "Longer": ('up{device="core.11"} or up{device="xcore.1"}', RuleStatus.LIVE),
            "Other": ('up{site="core.1"} or up{device!="a"}', RuleStatus.LIVE),
            "Words": ('label_replace(up, "x", "device=\'core.1\'", "y", "")', RuleStatus.LIVE),
            "Draft": ('up{device="core.1"}', RuleStatus.DRAFT),
        }
        async with sessions.begin() as session:
            for name, (expr, status) in exprs.items():
                rule = AlertingRule(name=name, expr=expr, status=status, summary="s", owner="o")
                rule.matchers = expression.matchers(expression.parse(expr))
                session.add(rule)
        response = await client.patch(f"{DEVICES}/core.1", json={"name": "core-1"})
        assert response.status_code == 409
        assert response.json()["detail"] == (
            "first have these alerting rules name 'core-1' beside 'core.1': "
            "Among, Exact, Half, Inside, Pattern and 1 more"
        )


class TestSites:
    async def test_what_stands_there_follows(self, client: AsyncClient, log_in: Login) -> None:
        """Devices, parts, groups and grants are of the site, whatever it is called."""
        site = await make(client, SITES, "old")
        await make(client, SITES, "part", parent="old")
        await make(client, DEVICES, "core", site="old")
        await make(client, GROUPS, "all-there", filter={"site": "old"})
        viewer = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, site["id"]))
        await rename(client, f"{SITES}/old", "new")
        assert (await viewer.get(f"{DEVICES}/core")).json()["site"] == "new"
        assert (await client.get(f"{SITES}/part")).json()["parent"] == "new"
        assert (await client.get(f"{GROUPS}/all-there")).json()["filter"]["site"] == "new"

    async def test_routes_go_on(self, client: AsyncClient, log_in: Login) -> None:
        """No route and no policy loses the site: each names both before the site is renamed."""
        site = await make(client, SITES, "old")
        route = {"channels": ["inbox"], "sites": ["old"]}
        url = f"{NOTICES}/routes/night"
        assert (await client.put(url, json=route)).status_code == 200
        refused = await client.patch(f"{SITES}/old", json={"name": "new"})
        assert refused.status_code == 409
        assert refused.json()["detail"] == "first have these routes name 'new' beside 'old': night"
        local = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site["id"]), name="local")
        refused = await local.patch(f"{SITES}/old", json={"name": "new"})
        assert refused.status_code == 409
        assert "night" not in refused.json()["detail"], "routes are for those who read them"
        await client.put(url, json=route | {"sites": ["old", "new"]})
        await rename(client, f"{SITES}/old", "new")

    async def test_escalations_go_on(self, client: AsyncClient) -> None:
        """The same holds for policies of escalation."""
        await make(client, SITES, "old")
        channels = {"after": 60, "channels": ["inbox"]}
        policy = {"name": "night", "sites": ["old"], "steps": [channels]}
        made = await client.post("/api/v1/escalation/policies", json=policy)
        assert made.status_code == 201, made.text
        refused = await client.patch(f"{SITES}/old", json={"name": "new"})
        assert refused.status_code == 409
        assert "escalation policies" in refused.json()["detail"]
        assert "night" in refused.json()["detail"]


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin of two worlds."""
    response = await client.post(IMPORT, json=INVENTORY)
    assert response.status_code == 200, response.text
    return client


async def at(client: AsyncClient, site: str) -> Scope:
    return Scope(ScopeKind.SITE, (await client.get(f"{SITES}/{site}")).json()["id"])


@pytest.fixture
async def northerner(inventory: AsyncClient, log_in: Login) -> AsyncClient:
    return await log_in(Role.OPERATOR, await at(inventory, "north"), name="northerner")


@pytest.fixture
async def southerner(inventory: AsyncClient, log_in: Login) -> AsyncClient:
    return await log_in(Role.OPERATOR, await at(inventory, "south"), name="southerner")


class TestReach:
    async def test_what_one_may_write(self, northerner: AsyncClient) -> None:
        """A person renames the sites and devices that they may write, and no other."""
        await rename(northerner, f"{DEVICES}/oslo1", "oslo-1")
        await rename(northerner, f"{SITES}/oslo", "kristiania")
        for url in (f"{DEVICES}/rome", f"{SITES}/south"):
            assert (await northerner.patch(url, json={"name": "x"})).status_code == 404

    async def test_what_one_may_only_see(self, inventory: AsyncClient, log_in: Login) -> None:
        """To see is not to rename."""
        viewer = await log_in(Role.VIEWER, await at(inventory, "north"))
        for url in (f"{DEVICES}/oslo1", f"{SITES}/oslo"):
            assert (await viewer.patch(url, json={"name": "x"})).status_code == 403

    @pytest.mark.parametrize(
        ("url", "own", "theirs"), [(DEVICES, "oslo1", "rome"), (SITES, "oslo", "south")]
    )
    async def test_a_name_out_of_sight(
        self, northerner: AsyncClient, url: str, own: str, theirs: str
    ) -> None:
        """That a name is taken is told in the words of one who would add it, and no more is."""
        below = {"parent": "north"} if url == SITES else {"site": "north"}
        created = await northerner.post(url, json={"name": theirs, **MADE[url], **below})
        renamed = await northerner.patch(f"{url}/{own}", json={"name": theirs})
        assert (created.status_code, renamed.status_code) == (409, 409)
        assert renamed.json()["detail"] == created.json()["detail"]

    async def test_out_of_one_s_group(self, client: AsyncClient, log_in: Login) -> None:
        """Whoever holds a role on names of a pattern gives no device a name beyond it."""
        await make(client, DEVICES, "br-1")
        group = await make(client, GROUPS, "branches", filter={"pattern": "br-*"})
        branch = await log_in(Role.OPERATOR, Scope(ScopeKind.GROUP, group["id"]), name="branch")
        await rename(branch, f"{DEVICES}/br-1", "br-2")
        refused = await branch.patch(f"{DEVICES}/br-2", json={"name": "core"})
        assert refused.status_code == 403
        assert (await client.get(f"{DEVICES}/br-2")).status_code == 200


class Tellers:
    """Alertmanager and an exporter, who know devices by the names they had."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def tell(self, device: str, start: datetime, fingerprint: str = "f") -> None:
        """Tell an alert, the same to the inbox, and a trap, all of one moment."""
        labels = {"alertname": "DeviceDown", "severity": "critical", "device": device}
        fires = alert(labels=labels, startsAt=start.isoformat(), fingerprint=fingerprint)
        await self._post(f"{ALERTS}/webhook", webhook(fires))
        await self._post(f"{NOTICES}/inbox", webhook(fires))
        await self._post(
            "/api/v1/exporter/traps", {"events": [event(device, at=fires["startsAt"])]}
        )

    async def end(self, device: str, start: datetime) -> None:
        """Tell the end of the alert, and the same to the inbox."""
        labels = {"alertname": "DeviceDown", "severity": "critical", "device": device}
        moments = {"startsAt": start.isoformat(), "endsAt": now().isoformat()}
        over = alert("resolved", labels=labels, fingerprint="f", **moments)
        await self._post(f"{ALERTS}/webhook", webhook(over))
        await self._post(f"{NOTICES}/inbox", webhook(over))

    async def _post(self, url: str, body: dict[str, Any]) -> None:
        response = await self.client.post(url, json=body)
        assert response.status_code == 200, response.text


@pytest.fixture
async def tellers(service: Service) -> Tellers:
    return Tellers(await service(Permission.ALERTS_INGEST, Permission.SNAPSHOT_READ))


async def heard(client: AsyncClient, **query: Any) -> list[list[str]]:
    """Give the devices of alerts, notices and events that somebody sees."""
    return [
        [one["device"] for one in await found(client, url, **query)]
        for url in (ALERTS, NOTICES, EVENTS)
    ]


async def handed_over(client: AsyncClient) -> None:
    """Have the north's oslo1 called oslo2, and a device of the south take its name."""
    await rename(client, f"{DEVICES}/oslo1", "oslo2")
    await make(client, DEVICES, "oslo1", site="south")


class TestWhatWasTold:
    async def test_names_of_long_ago(
        self, client: AsyncClient, sessions: Sessions, tellers: Tellers
    ) -> None:
        """A name that was given up is forgotten in time, but not while its device has an alert."""
        for name in ("calm", "busy"):
            await make(client, DEVICES, name)
        start = now() - timedelta(hours=1)
        await tellers.tell("busy", start)
        for name in ("calm", "busy"):
            await rename(client, f"{DEVICES}/{name}", f"{name}-now")

        async def former(*kept: timedelta) -> set[str]:
            async with sessions.begin() as session:
                await names.forget(session, *kept)
                return set(await session.scalars(select(FormerName.name)))

        assert await former() == {"calm", "busy"}
        assert await former(timedelta(0)) == {"busy"}
        await tellers.end("busy", start)
        assert await former(timedelta(0)) == set()

    async def test_it_goes_along(
        self, inventory: AsyncClient, northerner: AsyncClient, tellers: Tellers
    ) -> None:
        """Alerts, notices and traps of a device are found by its new name."""
        await tellers.tell("oslo1", now() - timedelta(hours=1))
        await rename(inventory, f"{DEVICES}/oslo1", "oslo2")
        assert await heard(northerner, device="oslo2") == [["oslo2"]] * 3
        (alert,) = await found(northerner, ALERTS)
        assert alert["labels"]["device"] == "oslo1", "as it was told"

    async def test_who_takes_the_name_inherits_nothing(
        self,
        inventory: AsyncClient,
        northerner: AsyncClient,
        southerner: AsyncClient,
        tellers: Tellers,
    ) -> None:
        """Neither who sees the new device nor who sees all finds the other's past under it."""
        await tellers.tell("oslo1", now() - timedelta(hours=1))
        await handed_over(inventory)
        assert (await southerner.get(f"{DEVICES}/oslo1")).status_code == 200
        assert await heard(southerner) == [[], [], []]
        assert await heard(inventory, device="oslo1") == [[], [], []]
        assert await heard(northerner) == [["oslo2"]] * 3
        (alert,) = await found(northerner, ALERTS)
        for path in ("", "/history"):
            assert (await southerner.get(f"{ALERTS}/{alert['id']}{path}")).status_code == 404
        history = await found(southerner, f"{DEVICES}/oslo1/history")
        assert [entry["action"] for entry in history] == ["data.create"]

    async def test_nor_of_one_that_is_no_more(
        self, inventory: AsyncClient, southerner: AsyncClient, tellers: Tellers
    ) -> None:
        """A device that is removed leaves its past to those who hear of all."""
        await tellers.tell("stray", now() - timedelta(hours=1))
        assert (await inventory.delete(f"{DEVICES}/stray")).status_code == 204
        await make(inventory, DEVICES, "stray", site="south")
        assert await heard(southerner) == [[], [], []]
        assert await heard(inventory) == [["stray"]] * 3

    async def test_what_is_told_late(
        self,
        inventory: AsyncClient,
        northerner: AsyncClient,
        southerner: AsyncClient,
        tellers: Tellers,
    ) -> None:
        """What began before the name changed hands is the one's, what began later the other's."""
        before = now()
        await handed_over(inventory)
        await tellers.tell("oslo1", before, "a")
        assert (await heard(northerner), await heard(southerner)) == (
            [["oslo2"]] * 3,
            [[], [], []],
        )
        await tellers.tell("oslo1", now(), "b")
        assert (await heard(northerner), await heard(southerner)) == (
            [["oslo2"]] * 3,
            [["oslo1"]] * 3,
        )

    async def test_a_name_that_nobody_has(
        self, inventory: AsyncClient, northerner: AsyncClient, tellers: Tellers
    ) -> None:
        """What is told for a while under a name given up is of whoever had it; not for ever."""
        await rename(inventory, f"{DEVICES}/oslo1", "oslo2")
        await tellers.tell("oslo1", now(), "a")
        assert await heard(northerner) == [["oslo2"]] * 3
        await tellers.tell("oslo1", now() + timedelta(days=1), "b")
        assert await heard(northerner) == [["oslo2"]] * 3
        assert [sorted(devices) for devices in await heard(inventory)] == [["oslo1", "oslo2"]] * 3

    async def test_one_fingerprint_is_not_one_outage(
        self,
        inventory: AsyncClient,
        northerner: AsyncClient,
        southerner: AsyncClient,
        tellers: Tellers,
    ) -> None:
        """An alert of the new device with the labels of the old one's ends that, and is another."""
        await tellers.tell("oslo1", now() - timedelta(hours=1), "ab")
        await handed_over(inventory)
        await tellers.tell("oslo1", now(), "ab")
        assert [a["status"] for a in await found(northerner, ALERTS)] == ["resolved"]
        assert [a["status"] for a in await found(southerner, ALERTS)] == ["firing"]

    async def test_alerts_by_hand(
        self, inventory: AsyncClient, northerner: AsyncClient, log_in: Login
    ) -> None:
        """One by hand about the old device is not told again as one about the new."""
        leak = {"alertname": "Leak", "severity": "warning", "summary": "s", "device": "stray"}
        made = await inventory.post(ALERTS, json=leak)
        assert made.status_code == 201, made.text
        await rename(inventory, f"{DEVICES}/stray", "found")
        await make(inventory, DEVICES, "stray", tags=["lent"])
        lender = await log_in(Role.OPERATOR, Scope(ScopeKind.TAG, "lent"), name="lender")
        taken = await lender.post(ALERTS, json=leak)
        assert taken.status_code == 409
        assert await found(lender, ALERTS) == await found(northerner, ALERTS) == []
        assert [a["device"] for a in await found(inventory, ALERTS)] == ["found"]
