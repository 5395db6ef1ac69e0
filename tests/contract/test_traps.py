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

from controlplane.auth.permissions import Permission
from controlplane.clients.alertmanager import ActiveAlert, Alertmanager, PostedAlert
from exporter import exposition
from exporter.app import Exporter
from exporter.cli import server as process
from exporter.config import Auth
from exporter.inventory import Snapshot
from exporter.profiles import loader
from exporter.profiles import values as snmp
from exporter.protocols.snmp.notifications import Notification
from exporter.telemetry import Telemetry
from exporter.traps import Outbox, desk, reading
from exporter.traps.receiver import Arrival
from rules import interfaces
from rules.options import Intent
from rules.rule import Alert
from tests.controlplane.alertmanager import server
from tests.controlplane.conftest import Service
from tests.exporter.agent import Agent, Value, integer, octets, parse, serve
from tests.exporter.serving import counted, made, with_device
from tests.exporter.traps.sending import LINK_DOWN, LINK_UP, sent
from tests.rules import promtool

ADMIN, OPER, ALIAS = "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.18"
INDEX = "1.3.6.1.2.1.2.2.1.1"
UP, DOWN = integer(1), integer(2)
LABELS = {"device": "edge1", "site": "Ærø", "role": "edge", "vendor": "Cisco"}
PUBLIC = "https://chm.example.net"
TRAP = ("-v", "2c", "-c", "public", "--", "4711")


@dataclass
class Edge:
    """A device, the exporter that receives its traps, and the Alertmanager that it tells."""

    agent: Agent
    exporter: Exporter
    port: int
    alertmanager: Alertmanager

    def becomes(self, oid: str, value: Value) -> None:
        """Have the device answer something else."""
        self.agent.table[parse(oid)] = value

    async def traps(self, oid: str, port: int = 2) -> None:
        """Have it send a trap about one of its ports."""
        await sent(self.port, *TRAP, oid, f"{INDEX}.{port}", "i", str(port))

    def knows(self, interfaces: dict[str, Any]) -> None:
        """Have the snapshot say what operators decided about its ports."""
        inventory = self.exporter.inventory
        assert inventory is not None
        assert inventory.snapshot is not None
        device = replace(inventory.devices["edge1"], interfaces=interfaces)
        inventory.snapshot = replace(inventory.snapshot, devices={"edge1": device})

    async def alerts(self) -> list[dict[str, str]]:
        """Give the labels of all that fires."""
        return [dict(alert.labels) for alert in await self.alertmanager.alerts()]

    async def polled(self) -> dict[str, str]:
        """Give the labels of the series that a scrape has of the second port's state."""
        inventory = self.exporter.inventory
        assert inventory is not None
        snapshot = inventory.snapshot
        assert snapshot is not None
        until = asyncio.get_running_loop().time() + 5
        configuration = self.exporter.configuration
        found = await self.exporter.prober.probe("edge1", snapshot, configuration, until)
        body = exposition.render(found).body.decode()
        (line,) = re.findall(r'^ifOperStatus\{(.*ifIndex="2".*)\} ', body, re.MULTILINE)
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
    folder.mkdir()
    labels = {**polled, **LABELS}
    intent: promtool.Series = {}
    if decided is not None:
        port = {"device": labels["device"], "ifName": labels["ifName"], "importance": decided}
        intent = {promtool.series("chm_interface_monitored", **port): "1x60"}
    expected = {"exp_labels": dict(alert.labels), "exp_annotations": dict(alert.annotations)}
    name = expected["exp_labels"].pop("alertname")
    promtool.run(
        folder,
        {
            promtool.series("chm_inventory_device_info", **LABELS): "1x60",
            promtool.series("ifAdminStatus", **labels): "1x60",
            promtool.series("ifOperStatus", **labels): "1x9 2x50",
        },
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
        device = replace(known, site=LABELS["site"], role=LABELS["role"], vendor=LABELS["vendor"])
        inventory.snapshot = Snapshot("1", {"lab": Auth()}, {"edge1": device})
        traps = process.traps(exporter)
        assert traps is not None
        async with traps.open():
            yield Edge(agent, exporter, traps.sockets[0].getsockname()[1], client)
        await inventory.close()


async def test_the_same_alert(tmp_path: Path, alertmanager: str, switch: dict[str, Value]) -> None:
    """A linkDown trap raises InterfaceDown, label for label and word for word that of the rule."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await there.traps(LINK_DOWN)
        await until(there.alertmanager.alerts)
        known = rule("warning")
        labels = {
            **await there.polled(),
            **LABELS,
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
        await there.traps(LINK_DOWN)
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
        await there.traps(LINK_DOWN)
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
        await there.traps(LINK_DOWN)

        async def confirmed() -> bool:
            return len(there.agent.requests) > before

        await until(confirmed)
        there.knows({})
        await there.traps(LINK_DOWN)
        await until(there.alertmanager.alerts)
        (alert,) = await there.alertmanager.alerts()
        assert alert.labels["severity"] == "warning"
        rule_tells(tmp_path / "rules", polled, None, alert)


async def test_up_again(tmp_path: Path, alertmanager: str, switch: dict[str, Value]) -> None:
    """The opposite trap ends the alert."""
    async with edge(tmp_path, alertmanager, switch) as there:
        await there.traps(LINK_DOWN)
        await until(there.alertmanager.alerts)
        await there.traps(LINK_UP)

        async def over() -> bool:
            return not await there.alerts()

        await until(over)


@pytest.mark.parametrize(
    "oid", [pytest.param(f"{ADMIN}.2", id="switched off"), pytest.param(f"{OPER}.2", id="untrue")]
)
async def test_what_the_device_does_not_confirm(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value], oid: str
) -> None:
    """A port that was switched off, or that is not down at all, is no alert."""
    async with edge(tmp_path, alertmanager, switch) as there:
        there.becomes(oid, DOWN if oid.startswith(ADMIN) else UP)
        await there.traps(LINK_DOWN)

        async def found_out() -> float:
            return counted(there.exporter, "chm_trap_unconfirmed_total")

        await until(found_out)
        assert await there.alerts() == []


async def test_a_device_that_is_slow_to_notice(
    tmp_path: Path, alertmanager: str, switch: dict[str, Value]
) -> None:
    """Many agents answer for a while what was true before: they are asked again."""
    async with edge(tmp_path, alertmanager, switch) as there:
        there.becomes(f"{OPER}.2", UP)
        await there.traps(LINK_DOWN)

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

        await there.traps("1.3.6.1.6.3.1.1.5.1")

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
