"""An alert of a trap and the alert of the rule are one: they have the same name and labels."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

import rules
from controlplane.auth.permissions import Permission
from controlplane.clients.alertmanager import ActiveAlert, Alertmanager, PostedAlert
from controlplane.provisioning.service import rule_intent
from controlplane.provisioning.shipped_alerts.traps import Rules
from controlplane.settings import Settings
from exporter import exposition
from exporter.app import Exporter
from exporter.cli import server as process
from exporter.cli import sockets
from exporter.config import Auth
from exporter.inventory import Device, Inventory, Rule, Snapshot
from exporter.profiles import loader
from exporter.profiles import values as snmp
from exporter.protocols.snmp.notifications import Notification
from exporter.telemetry import Telemetry
from exporter.traps import Outbox, Traps, desk, reading
from exporter.traps.reading import Told
from exporter.traps.receiver import Arrival
from rules import interfaces
from rules.options import Intent
from rules.rule import Alert
from tests.controlplane.alertmanager import server
from tests.controlplane.conftest import Service, Sessions
from tests.exporter.agent import Agent, Value, integer, octets, parse, serve
from tests.exporter.serving import counted, made, with_device
from tests.exporter.traps.sending import LINK_DOWN, LINK_UP, sent
from tests.rules import promtool

ADMIN, OPER, ALIAS = "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.18"
INDEX, CHANGED = "1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.9"
UPTIME, CDP_DEVICE = "1.3.6.1.2.1.1.3.0", "1.3.6.1.4.1.9.9.23.1.2.1.1.6"
UP, DOWN = integer(1), integer(2)
LABELS = {"device": "edge1", "site": "Ærø", "role": "edge", "vendor": "Cisco"}
TEAM = {"team": 'N "1"'}  # of the inventory alone: no sample has it
GUIDE = Path(__file__).parents[2] / "docs/howto/run-the-exporter.md"
PUBLIC = "https://chm.example.net"
TRAP = ("-v", "2c", "-c", "public", "--", "4711")
# BGP4-MIB, RFC 4273 and before it RFC 1657: the traps, and of a peer what is asked.
BGP = "1.3.6.1.2.1.15"
BGP_TRAPS = {"RFC 1657": (f"{BGP}.7.2", f"{BGP}.7.1"), "RFC 4273": (f"{BGP}.0.2", f"{BGP}.0.1")}
PEER = "192.0.2.9"
STATE, SWITCHED, REMOTE_AS, TIMES, SECONDS = (
    f"{BGP}.3.1.{column}.{PEER}" for column in (2, 3, 9, 15, 16)
)
ACTIVE, ESTABLISHED = integer(3), integer(6)
SESSION = {
    STATE: ACTIVE,
    SWITCHED: integer(2),
    REMOTE_AS: integer(64500),
    TIMES: integer(3, 0x41),
    SECONDS: integer(5, 0x42),
}
CISCO_PEER = "1.3.6.1.4.1.9.9.187.1.2.5.1"  # cbgpPeer2Table: the type and length of an address


@dataclass
class Edge:
    """A device, the exporter that receives its traps, and the Alertmanager that it tells."""

    agent: Agent
    exporter: Exporter
    traps: Traps
    alertmanager: Alertmanager

    @property
    def port(self) -> int:
        """Where it sends its traps to."""
        return int(self.traps.sockets[0].getsockname()[1])

    def becomes(self, oid: str, value: Value) -> None:
        """Have the device answer something else."""
        self.agent.table[parse(oid)] = value

    async def sends(self, oid: str, port: int = 2) -> None:
        """Have it send a trap about one of its ports."""
        await sent(self.port, *TRAP, oid, f"{INDEX}.{port}", "i", str(port))

    def knows(self, interfaces: dict[str, Any]) -> None:
        """Have the snapshot say what operators decided about its ports."""
        inventory = self.exporter.inventory
        assert inventory is not None
        assert inventory.snapshot is not None
        device = replace(inventory.devices["edge1"], interfaces=interfaces)
        inventory.snapshot = replace(inventory.snapshot, devices={"edge1": device})

    def ruled(self, **rule: Any) -> None:
        """Have the snapshot say something about the rule of ports that are down."""
        inventory = self.exporter.inventory
        assert inventory is not None
        assert inventory.snapshot is not None
        alerts = {"InterfaceDown": Rule(**rule)}
        inventory.snapshot = replace(inventory.snapshot, alerts=alerts)

    def has(self, name: str, device: Device, auth: Auth) -> None:
        """Have the inventory hold another device, with an auth that is called as its community."""
        inventory = self.exporter.inventory
        assert inventory is not None
        assert inventory.snapshot is not None
        auths = {**inventory.snapshot.auths, auth.community: auth}
        devices = {**inventory.devices, name: device}
        inventory.snapshot = replace(inventory.snapshot, auths=auths, devices=devices)

    def loses_it(self) -> None:
        """Have the inventory know the device no more."""
        inventory = self.exporter.inventory
        assert inventory is not None
        assert inventory.snapshot is not None
        inventory.snapshot = replace(inventory.snapshot, devices={})

    async def again(self) -> float:
        """Have the exporter tell once more of what lasts; give how many alerts it ever told."""
        alerts = self.traps.desk.alerts
        assert alerts is not None
        await alerts.again(datetime.now(UTC))
        return counted(self.exporter, "chm_trap_alerts_total")

    async def alerts(self) -> list[dict[str, str]]:
        """Give the labels of all that fires."""
        return [dict(alert.labels) for alert in await self.alertmanager.alerts()]

    async def loses(self, peer: str, oid: str) -> None:
        """Have it send a trap about a BGP peer that is idle now."""
        await sent(self.port, *TRAP, oid, f"{BGP}.3.1.2.{peer}", "i", "1")

    async def polled(self, series: str = 'chm_interface_down{.*ifIndex="2"') -> dict[str, str]:
        """Give the labels of the series that a scrape has, by which the second port is down."""
        inventory = self.exporter.inventory
        assert inventory is not None
        snapshot = inventory.snapshot
        assert snapshot is not None
        until = asyncio.get_running_loop().time() + 5
        configuration = self.exporter.configuration
        found = await self.exporter.prober.probe("edge1", snapshot, configuration, until)
        body = exposition.render(found).body.decode()
        (line,) = re.findall(rf"^{series}.*}} ", body, re.MULTILINE)
        return dict(re.findall(r'(\w+)="([^"]*)"', line))


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.05)


def rule(severity: str) -> Alert:
    """Give the rule of this severity about ports that went down."""
    groups = interfaces.groups(Intent(PUBLIC))
    return next(
        one
        for one in groups[0].rules
        if isinstance(one, Alert) and (one.name, one.severity) == ("InterfaceDown", severity)
    )


def rule_tells(
    folder: Path, polled: dict[str, str], decided: str | None, alert: ActiveAlert
) -> None:
    """Fail unless Prometheus makes this alert, and no other one, of the port when it is lost."""
    labels = {**polled, **LABELS}
    intent: promtool.Series = {}
    if decided is not None:
        which = {"device": labels["device"], "ifName": labels["ifName"], "importance": decided}
        intent = {promtool.series("chm_interface_monitored", **which): "1x60"}
    port = {
        promtool.series("ifOperStatus", **labels): "1x9 2x50",
        promtool.series("chm_interface_down", **labels): "_x10 2x50",
    }
    tells(folder, port, intent, alert)


def tells(
    folder: Path, polled: promtool.Series, intent: promtool.Series, alert: ActiveAlert
) -> None:
    """Fail unless Prometheus makes this alert, and no other of its name, of what is polled."""
    folder.mkdir()
    expected = {"exp_labels": dict(alert.labels), "exp_annotations": dict(alert.annotations)}
    name = expected["exp_labels"].pop("alertname")
    promtool.run(
        folder,
        {promtool.series("chm_inventory_device_info", **LABELS, **TEAM): "1x60", **polled},
        intent,
        checks={
            "alert_rule_test": [{"eval_time": "20m", "alertname": name, "exp_alerts": [expected]}]
        },
    )


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[str]:
    real = server(tmp_path)
    async with real.running():
        yield real.url


@asynccontextmanager
async def edge(folder: Path, url: str, switch: dict[str, Value]) -> AsyncIterator[Edge]:
    """Run all of it, with a port that is lost."""
    table = switch | {f"{ADMIN}.2": UP, f"{OPER}.2": DOWN, f"{ALIAS}.2": octets("to core2")}
    async with serve(table) as agent, Alertmanager.at(url) as client:
        exporter = made(
            folder,
            traps_listen=("127.0.0.1:0",),
            alertmanager_urls=(url,),
            public_url=PUBLIC,
        )
        with_device(exporter, agent.port)
        inventory = exporter.inventory
        assert inventory is not None
        known = inventory.devices["edge1"]
        own = {**LABELS, **TEAM}
        device = replace(
            known, site=own["site"], role=own["role"], vendor=own["vendor"], team=own["team"]
        )
        inventory.snapshot = Snapshot("1", {"lab": Auth()}, {"edge1": device})
        with sockets.receive("127.0.0.1:0") as receiving:
            traps = process.traps(exporter, [receiving])
            assert traps is not None
            async with traps.open():
                yield Edge(agent, exporter, traps, client)
        await inventory.close()


async def test_the_same_alert(tmp_path: Path, alertmanager: str, switch: dict[str, Value]) -> None:
    """A linkDown trap raises InterfaceDown, label for label and word for word that of the rule."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        known = rule("warning")
        labels = {
            **await there.polled(),
            **LABELS,
            **TEAM,
            "alertname": known.name,
            "severity": known.severity,
            "alertclass": known.alertclass,
        }
        words = {
            name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
            for name, text in (("summary", known.summary), ("description", known.description))
        }
        (alert,) = await there.alertmanager.alerts()

        assert alert.labels == labels
        assert alert.annotations == words | {"runbook_url": f"{PUBLIC}/runbooks/InterfaceDown"}

        # Prometheus tells of it, too, two minutes later.
        now = datetime.now(UTC)
        again = PostedAlert(labels, words, now, now + timedelta(minutes=4))
        await there.alertmanager.post_alerts([again])
        assert await there.alerts() == [labels]


async def test_a_port_that_nobody_described(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """It is told at the severity that the rule has for it, and without an empty label."""
    async with edge(tmp_path, alertmanager, switch) as there:
        there.becomes(f"{ALIAS}.2", octets(""))
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)

        (labels,) = await there.alerts()
        assert labels["severity"] == rule("info").severity
        assert "ifAlias" not in labels


@pytest.mark.parametrize(
    ("importance", "severity"), [("critical", "critical"), ("normal", "warning"), ("low", "info")]
)
async def test_an_interface_that_should_be_up(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value], importance: str, severity: str
) -> None:
    """The trap and the rule raise one alert, as loud as the interface is important."""
    async with edge(tmp_path, alertmanager, switch) as there:
        polled = await there.polled()
        there.knows({polled["ifName"]: severity})
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)

        (alert,) = await there.alertmanager.alerts()
        assert alert.labels["severity"] == severity
        rule_tells(tmp_path / "rules", polled, importance, alert)


async def test_an_interface_that_nobody_is_told_of(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """The word of an operator goes before the table; without one the table counts again."""
    async with edge(tmp_path, alertmanager, switch) as there:
        polled = await there.polled()
        there.knows({polled["ifName"]: "none"})
        before = len(there.agent.requests)
        await there.sends(LINK_DOWN)

        async def confirmed() -> bool:
            return len(there.agent.requests) > before

        await until(confirmed)
        there.knows({})
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        (alert,) = await there.alertmanager.alerts()
        assert alert.labels["severity"] == "warning"
        rule_tells(tmp_path / "rules", polled, None, alert)


@pytest.mark.parametrize("traps", BGP_TRAPS.values(), ids=list(BGP_TRAPS))
@pytest.mark.parametrize("own", [True, False], ids=["of the vendor", "BGP4-MIB alone"])
async def test_a_bgp_session(
    tmp_path: Path,
    alertmanager: str,
    switch: dict[str, Value],
    traps: tuple[str, str],
    *,
    own: bool,
) -> None:
    """A session that is lost is BgpSessionDown, that of the rule, whichever MIB is polled."""
    address = f"1.4.{PEER}"
    vendor = {
        f"{CISCO_PEER}.{column}.{address}": value
        for column, value in {3: ACTIVE, 4: integer(2), 11: integer(64500, 0x42)}.items()
    }
    async with edge(tmp_path, alertmanager, switch | SESSION | (vendor if own else {})) as there:
        await there.loses(PEER, traps[0])
        await until(there.alertmanager.alerts)
        labels = {**await there.polled("chm_bgp_session_up"), **LABELS}
        (alert,) = await there.alertmanager.alerts()
        assert alert.starts_at < datetime.now(UTC) - timedelta(seconds=4)
        session = {promtool.series("chm_bgp_session_up", **labels): "1x9 0x50"}
        tells(tmp_path / "rules", session, {}, alert)

        await there.loses(PEER, traps[1])

        async def over() -> bool:
            return not await there.alerts()

        await until(over)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param(STATE, ESTABLISHED, id="established"),
        pytest.param(SWITCHED, integer(1), id="shut down"),
        pytest.param(REMOTE_AS, integer(23456), id="of an AS that has no room here"),
        pytest.param(TIMES, integer(0, 0x41), id="never established"),
    ],
)
async def test_a_bgp_session_that_is_for_the_rule(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value], column: str, value: Value
) -> None:
    """What is no loss, or has other labels when it is polled, is an event alone."""
    async with edge(tmp_path, alertmanager, switch | SESSION | {column: value}) as there:
        await there.loses(PEER, f"{BGP}.0.2")

        async def found_out() -> float:
            return counted(there.exporter, "chm_trap_unconfirmed_total")

        await until(found_out)
        assert await there.alerts() == []


async def test_a_bgp_session_that_was_lost_long_ago(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """A trap that is sent at each attempt begins nothing anew: the rule has told it long ago."""
    long_ago = {SECONDS: integer(3600, 0x42)}
    async with edge(tmp_path, alertmanager, switch | SESSION | long_ago) as there:
        await there.loses(PEER, f"{BGP}.0.2")

        async def settled() -> bool:
            return bool(there.agent.requests) and not there.traps.desk._looks

        await until(settled)
        assert counted(there.exporter, "chm_trap_unconfirmed_total") == 0
        assert await there.alerts() == []


async def test_an_alert_that_is_switched_off(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """Operators who want no such alert hear of no port by a trap either; it is an event alone."""
    async with edge(tmp_path, alertmanager, switch) as there:
        there.ruled(at_once=False)
        await there.sends(LINK_DOWN)

        async def asked() -> bool:
            return bool(there.agent.requests)

        async def settled() -> bool:
            return not there.traps.desk._looks

        await until(asked)
        await until(settled)
        assert counted(there.exporter, "chm_trap_received_total", trap="linkDown") == 1
        assert await there.alerts() == []


async def test_once_the_rule_may_fire(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """The end is then the rule's to tell, whatever time that has: of none, from the beginning."""
    async with edge(tmp_path, alertmanager, switch) as there:
        there.ruled(for_seconds=0)
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        await there.sends(LINK_UP)

        async def over() -> bool:
            alerts = there.traps.desk.alerts
            return alerts is not None and not (alerts.firing or there.traps.desk._looks)

        await until(over)
        assert len(await there.alerts()) == 1
        assert counted(there.exporter, "chm_trap_alerts_total") == 1


async def test_what_the_control_plane_says_of_rules(
    client: AsyncClient, service: Service, telemetry: Telemetry
) -> None:
    """The exporter knows the times of every rule as they are in force, and who wants no trap."""
    intent = Intent(PUBLIC)
    known = Inventory(await service(Permission.SNAPSHOT_READ), telemetry, 5)
    await known.poll()
    down = rule("warning")
    assert known.rule("InterfaceDown") == Rule(True, down.hold, intent.flap_within)
    assert known.rule("BgpSessionDown").flap_seconds == 2 * intent.flap_within
    raised = {one.alert.name for one in loader.load([]).traps.values() if one.alert is not None}
    assert known.snapshot is not None
    assert raised <= known.snapshot.alerts.keys()

    url = "/api/v1/shipped-alerts/InterfaceDown"
    for change, expected in (
        ({"for_seconds": 60}, (True, 60)),
        ({"for_seconds": 600}, (False, 600)),
        ({"for_seconds": None, "enabled": False}, (False, down.hold)),
        ({"enabled": True}, (True, down.hold)),
    ):
        before = known.snapshot.alerts
        assert (await client.patch(url, json=change)).status_code == 200
        await known.poll()
        found = known.rule("InterfaceDown")
        assert (found.at_once, found.for_seconds) == expected
        assert known.snapshot.alerts == {**before, "InterfaceDown": found}


async def test_it_leads_to_the_same_dashboard(
    tmp_path: Path,
    alertmanager: str,
    switch: dict[str, Value],
    settings: Settings,
    sessions: Sessions,
) -> None:
    """Where there is a Grafana an alert of a trap names the board that the rule's names."""
    graphed = settings.model_copy(update={"grafana_url": "https://grafana.example.net"})
    async with sessions() as session:
        said = (await Rules(graphed)(session))["InterfaceDown"]
    async with edge(tmp_path, alertmanager, switch) as there:
        there.ruled(**said)
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        (alert,) = await there.alertmanager.alerts()
    text = rules.render(rule_intent(graphed))["interfaces.yml"]
    found = set(re.findall(r"dashboard_url: (.*)", text))
    assert {url.replace(rules.DEVICE, "edge1") for url in found} == {
        alert.annotations["dashboard_url"]
    }


async def test_up_again(tmp_path: Path, alertmanager: str, switch: dict[str, Value]) -> None:
    """The opposite trap ends the alert."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        await there.sends(LINK_UP)

        async def over() -> bool:
            return not await there.alerts()

        await until(over)


async def test_a_port_that_flaps(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """Each of three outages is told; the fourth of a short time is for the rule that mutes them."""
    async with edge(tmp_path, alertmanager, switch) as there:

        async def transition(oid: str, state: Value) -> None:
            there.becomes(f"{OPER}.2", state)
            await there.sends(oid)

        async def over() -> bool:
            return not await there.alertmanager.alerts()

        for _ in range(3):
            await transition(LINK_DOWN, DOWN)
            await until(there.alertmanager.alerts)
            await transition(LINK_UP, UP)
            await until(over)
        there.becomes(f"{OPER}.2", DOWN)
        there.becomes(f"{ADMIN}.3", UP)
        there.becomes(f"{OPER}.3", DOWN)
        there.becomes(f"{ALIAS}.3", octets("to core3"))
        await there.sends(LINK_DOWN)
        await there.sends(LINK_DOWN, port=3)
        await until(there.alertmanager.alerts)
        (told,) = await there.alerts()
        assert told["ifIndex"] == "3"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda there: there.becomes(f"{OPER}.2", UP), id="up"),
        pytest.param(lambda there: there.becomes(f"{ADMIN}.2", DOWN), id="switched off"),
        pytest.param(lambda there: there.knows({"Gi1/0/2": "none"}), id="nobody shall hear of it"),
        pytest.param(lambda there: there.ruled(at_once=False), id="no alert of this name"),
        pytest.param(Edge.loses_it, id="no device of ours"),
    ],
)
async def test_an_end_without_a_trap(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value], change: Callable[[Edge], None]
) -> None:
    """An alert is told again as long as it is true, though the trap of its end be lost."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        assert await there.again() == 2
        assert len(await there.alerts()) == 1

        change(there)
        await there.again()
        assert await there.alerts() == []
        told = counted(there.exporter, "chm_trap_alerts_total")
        assert await there.again() == told


async def test_a_port_to_a_device_that_died(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """That device has the alert: a trap about the port to it raises none, or what it did ends."""
    neighbor = {f"{CDP_DEVICE}.2.1": octets("core2.example.net")}
    answering, silent = b"far", b"gone"
    async with (
        serve({UPTIME: integer(1, 0x43)}, community=answering) as far,
        edge(tmp_path, alertmanager, switch | neighbor) as there,
    ):
        there.has("core2", Device("127.0.0.1", ("far",), far.port), Auth(community="far"))
        await there.polled()
        far.community = silent
        await there.sends(LINK_DOWN)

        async def passed_over() -> float:
            return counted(there.exporter, "chm_trap_neighbor_silent_total")

        await until(passed_over)
        assert await there.alerts() == []

        far.community = answering
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        far.community = silent
        await there.again()
        assert await there.alerts() == []


@pytest.mark.parametrize(
    "auths", [pytest.param((), id="without an auth"), pytest.param(("gone",), id="nowhere")]
)
async def test_a_port_to_a_device_that_cannot_be_asked(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value], auths: tuple[str, ...]
) -> None:
    """What nobody can know of is no cause: the trap about the port to it raises its alert."""
    neighbor = {f"{CDP_DEVICE}.2.1": octets("core2")}
    async with edge(tmp_path, alertmanager, switch | neighbor) as there:
        there.has("core2", Device("core2.invalid", auths), Auth(community="gone"))
        await there.polled()
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)


async def test_the_documented_example(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """A table as the documentation has it raises its alert, if the device says that it is so."""
    (example,) = re.findall(r"```yaml\n(traps:\n.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "acme.yml").write_text(example)
    opened, closed, door, state = (
        f"1.3.6.1.4.1.4711.{end}" for end in ("2.0.7", "2.0.8", "1.3.1.2", "1.3.1.3")
    )
    async with edge(tmp_path, alertmanager, switch) as there:
        there.exporter.configuration = loader.load([str(tmp_path / "acme.yml")])
        there.becomes(f"{door}.5", octets("front"))
        there.becomes(f"{state}.5", integer(2))
        there.becomes(f"{state}.6", integer(1))
        for rack in (6, 5):
            await sent(there.port, *TRAP, opened, f"{door}.{rack}", "s", "any")
        await until(there.alertmanager.alerts)

        (labels,) = await there.alerts()
        assert (labels["alertname"], labels["door"], labels["rack"]) == ("DoorOpen", "front", "5")

        await sent(there.port, *TRAP, closed, f"{door}.5", "s", "any")

        async def over() -> bool:
            return not await there.alerts()

        await until(over)


async def test_another_severity(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """What an operator decides while an alert lasts makes it another one."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        there.knows({"Gi1/0/2": "critical"})
        await there.again()
        assert [labels["severity"] for labels in await there.alerts()] == ["critical"]


async def test_a_device_that_falls_silent(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """Nothing more is told of it, so its alert runs out, until it confirms that again."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        known, there.agent.community = there.agent.community, b"another"
        assert await there.again() == 1
        there.agent.community = known
        assert await there.again() == 2


@pytest.mark.parametrize(
    "oid", [pytest.param(f"{ADMIN}.2", id="switched off"), pytest.param(f"{OPER}.2", id="untrue")]
)
async def test_what_the_device_does_not_confirm(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value], oid: str
) -> None:
    """A port that was switched off, or that is not down at all, is no alert."""
    async with edge(tmp_path, alertmanager, switch) as there:
        there.becomes(oid, DOWN if oid.startswith(ADMIN) else UP)
        await there.sends(LINK_DOWN)

        async def found_out() -> float:
            return counted(there.exporter, "chm_trap_unconfirmed_total")

        await until(found_out)
        assert await there.alerts() == []


async def test_a_storm_of_ports(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """While as many looks are under way as may be, the newest word about each of them is heard."""

    def dropped() -> float:
        return counted(there.exporter, "chm_trap_dropped_total", reason="too_many_looks")

    async def passed_over() -> float:
        return dropped()

    async def over() -> bool:
        return not await there.alerts()

    async with edge(tmp_path, alertmanager, switch) as there:
        there.traps.desk.most = 1
        there.becomes(f"{OPER}.2", UP)
        await there.sends(LINK_DOWN)
        await there.sends(LINK_DOWN, port=1)
        await until(passed_over)
        there.becomes(f"{OPER}.2", DOWN)
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)
        assert dropped() == 1

        await there.sends(LINK_DOWN, port=1)
        await there.sends(LINK_UP)
        await until(over)
        assert dropped() == 1


@pytest.mark.parametrize(
    ("seconds", "uptime", "ports"),
    [
        pytest.param(1, 3600, {"1", "2"}, id="lost with the other"),
        pytest.param(120, 3600, {"2"}, id="lost before"),
        pytest.param(1, 599, {"2"}, id="of a device that has just started"),
        pytest.param(-1, 3600, {"2"}, id="after a wrap of the clock"),
    ],
)
async def test_a_trap_that_got_lost(  # noqa: PLR0917 - fixtures and cases
    tmp_path: Path,
    alertmanager: str,
    switch: dict[str, Value],
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    uptime: int,
    ports: set[str],
) -> None:
    """A port that went down in the same minute as that of the trap is told with it."""
    monkeypatch.setattr(desk, "BURST_SECONDS", 0.1)
    changed = {
        f"{CHANGED}.1": integer((uptime - seconds) * 100, 0x43),
        f"{CHANGED}.2": integer((uptime - 1) * 100, 0x43),
    }
    lost = {f"{ADMIN}.1": UP, f"{OPER}.1": DOWN, f"{UPTIME}": integer(uptime * 100, 0x43)}
    async with edge(tmp_path, alertmanager, switch | lost | changed) as there:
        await there.sends(LINK_DOWN)
        await until(there.alertmanager.alerts)

        async def looked() -> bool:
            oids = (oid for request in there.agent.requests for oid in request.oids)
            return parse(CHANGED) in oids and not there.traps.desk._bursts

        await until(looked)
        alerts = await there.alerts()
        assert {labels["ifIndex"] for labels in alerts} == ports
        assert counted(there.exporter, "chm_trap_missed_total") == len(ports) - 1
        assert {labels["ifName"] for labels in alerts} == {f"Gi1/0/{port}" for port in ports}

        await there.sends(LINK_UP, 1)  # ends the one as it would any other

        async def over() -> bool:
            return {labels["ifIndex"] for labels in await there.alerts()} == {"2"}

        await until(over)


async def test_a_trap_without_an_instance(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value], caplog: pytest.LogCaptureFixture
) -> None:
    """There is nothing to ask the device, so its trap is not confirmed, and no fault of ours."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await sent(there.port, *TRAP, LINK_DOWN, f"{ALIAS}.2", "s", "no ifIndex")

        async def found_out() -> float:
            return counted(there.exporter, "chm_trap_unconfirmed_total")

        await until(found_out)
        assert not there.agent.requests
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_long_instance(tmp_path: Path, alertmanager: str, switch: dict[str, Value]) -> None:
    """The device is asked for the instance that the trap is about, however long it is written."""
    instance = ".".join(["4000000000"] * 50)
    async with edge(tmp_path, alertmanager, switch) as there:
        await sent(there.port, *TRAP, LINK_DOWN, f"{INDEX}.{instance}", "i", "7")

        async def asked() -> int:
            return len(there.agent.requests)

        await until(asked)
        assert parse(f"{OPER}.{instance}") in there.agent.requests[0].oids


async def test_a_device_that_is_slow_to_notice(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """Many agents answer for a while what was true before: they are asked again."""
    async with edge(tmp_path, alertmanager, switch) as there:
        there.becomes(f"{OPER}.2", UP)
        await there.sends(LINK_DOWN)

        async def asked() -> int:
            return len(there.agent.requests)

        await until(asked)
        there.becomes(f"{OPER}.2", DOWN)
        await until(there.alertmanager.alerts)


async def test_a_device_that_was_left_alone(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """A device that was silent and sends a trap is asked by the next scrape."""
    async with edge(tmp_path, alertmanager, switch) as there:
        exporter = there.exporter
        address = f"127.0.0.1:{there.agent.port}"
        state = exporter.prober.devices._device(address)
        for _ in range(exporter.settings.breaker_failures):
            exporter.prober.devices.silent(state)
        assert exporter.prober.devices.state(state) == "open"

        await there.sends("1.3.6.1.6.3.1.1.5.1")

        async def taken() -> float:
            return counted(exporter, "chm_trap_received_total", trap="coldStart")

        await until(taken)
        assert exporter.prober.devices.state(state) == "closed"
        assert await there.polled()


async def test_events_reach_the_control_plane(
    client: AsyncClient, service: Service, telemetry: Telemetry
) -> None:
    """What the exporter says of a trap, hostile text and all, the control plane takes and shows."""
    hostile = bytes(range(256)) + "\u202e\u2028\ufffe".encode()
    values: tuple[snmp.Value, ...] = (hostile, 2**64 - 1, None, "10.0.0.1")
    varbinds: tuple[tuple[str, snmp.Value], ...] = (
        ("1.3.6.1.2.1.2.2.1.1.7", 7),
        ("1.3.6.1.2.1.2.2.1.2.7", "Gi0/7 \x1b[31m\u202e<script>\ue000".encode()),
        *((f"1.3.6.1.4.1.9.{number}", value) for number, value in enumerate(values)),
    )
    arrival = Arrival("edge1", "10.0.0.7", Notification(LINK_DOWN, 1, varbinds))
    notice = loader.load([]).traps[LINK_DOWN]
    outbox = Outbox(await service(Permission.SNAPSHOT_READ), None, telemetry)

    outbox.put(desk.event(arrival, reading.told(arrival.notification, notice, "edge1")))
    assert await outbox.send()

    (shown,) = (await client.get("/api/v1/events")).json()["results"]
    assert (shown["device"], shown["source"], shown["trap"]) == ("edge1", "10.0.0.7", "linkDown")
    assert shown["text"].startswith("port 7 Gi0/7")
    assert len(shown["varbinds"]) == len(varbinds)
    assert not outbox.waiting


async def test_events_wait_for_the_control_plane(service: Service, telemetry: Telemetry) -> None:
    """While nobody takes them they wait; what will never be taken is dropped and counted."""
    outbox = Outbox(await service(Permission.TARGETS_READ), None, telemetry)
    outbox.put({"id": "not an id"})
    assert not await outbox.send()
    assert len(outbox.waiting) == 1

    outbox.client = await service(Permission.SNAPSHOT_READ)
    assert await outbox.send()
    assert not outbox.waiting
    assert telemetry.registry.get_sample_value("chm_trap_dropped_total", {"reason": "refused"}) == 1


async def test_an_event_that_is_refused(
    client: AsyncClient, service: Service, telemetry: Telemetry
) -> None:
    """It takes no other with it: those around it are kept, in their order."""
    outbox = Outbox(await service(Permission.SNAPSHOT_READ), None, telemetry)
    for number in range(7):
        told = Told("linkDown", "warning", f"port {number}", "", {})
        arrival = Arrival("edge1", "10.0.0.7", Notification(LINK_DOWN, 1, ()))
        wrong = {"colour": "red"} if number in {2, 5} else {}
        outbox.put({**desk.event(arrival, told), **wrong})
    assert await outbox.send()

    shown = (await client.get("/api/v1/events", params={"ordering": "at"})).json()["results"]
    assert [event["text"] for event in shown] == [f"port {number}" for number in (0, 1, 3, 4, 6)]
    assert not outbox.waiting
    assert telemetry.registry.get_sample_value("chm_trap_dropped_total", {"reason": "refused"}) == 2


async def test_a_large_trap(client: AsyncClient, service: Service, telemetry: Telemetry) -> None:
    """Of a trap with more than 4 kB of values the first of them are kept."""
    varbinds = tuple((f"1.3.6.1.4.1.9.{number}", b"x" * 190) for number in range(64))
    arrival = Arrival("edge1", "10.0.0.7", Notification(LINK_DOWN, 1, varbinds))
    outbox = Outbox(await service(Permission.SNAPSHOT_READ), None, telemetry)
    outbox.put(desk.event(arrival, reading.told(arrival.notification, None, "edge1")))
    assert await outbox.send()

    (shown,) = (await client.get("/api/v1/events")).json()["results"]
    assert 10 < len(shown["varbinds"]) < 4096 / 190
