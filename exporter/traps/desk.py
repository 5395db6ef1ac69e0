"""What becomes of a trap: an event for the control plane, a look at the device, maybe an alert."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from exporter.errors import ProtocolError
from exporter.inventory import Device, Inventory, Rule
from exporter.probe import Prober
from exporter.probe.prober import UPTIME
from exporter.probe.walks import Answers
from exporter.profiles import values
from exporter.profiles.loader import Configuration
from exporter.profiles.notices import Notice, Raised
from exporter.protocols.snmp.notifications import Notification
from exporter.telemetry import Telemetry
from exporter.traps import reading
from exporter.traps.alerts import Alerts, Firing, Key
from exporter.traps.outbox import Outbox
from exporter.traps.reading import Told
from exporter.traps.receiver import Arrival

log = logging.getLogger(__name__)

PAUSES = (
    0.0,
    1.0,
    2.0,
    4.0,
)  # seconds before a device is asked; some tell the old state for a while
ANSWER_SECONDS = 3.0  # in which a device says whether a trap is true
NEIGHBOR_SECONDS = 1.0  # in which a device at the far end of a port says that it is there
# Of a burst of traps some get lost. So when it is over the device is asked what else became so
# lately; after a start all of it did.
BURST_SECONDS = 3.0
LATELY_SECONDS, STARTING_SECONDS = 60, 600
OTHERS = 500  # of a burst; a whole device is no burst
VARBINDS = 4096  # octets of an event's OIDs and values; what is known of has some hundreds
UNHEARD = "none"  # a severity that nobody is told of
UNDER_WAY = 1000  # traps that are being looked into at once
TICKS = 100  # of a second, in which sysUpTime counts
LONGEST_SECONDS = 2**32  # for which something lasts; more is no time


Tasks = dict[Key, asyncio.Task[None]]


@dataclass(slots=True)
class Desk:
    """Deals with arrivals; `alerts` and `outbox` are None where there is nobody to tell."""

    inventory: Inventory
    prober: Prober
    configuration: Callable[[], Configuration]
    telemetry: Telemetry
    outbox: Outbox | None = None
    alerts: Alerts | None = None
    runbooks: str = ""
    most: int = UNDER_WAY
    _looks: Tasks = field(default_factory=dict, init=False, repr=False)
    _bursts: Tasks = field(default_factory=dict, init=False, repr=False)

    def take(self, arrival: Arrival) -> None:
        """Deal with an arrival; what takes time is done on the side."""
        notice = _notice(self.configuration().traps, arrival.notification.oid)
        told = reading.told(arrival.notification, notice, arrival.device)
        self.telemetry.traps_received.labels(told.name).inc()
        if self.outbox is not None:
            self.outbox.put(event(arrival, told))
        if (snapshot := self.inventory.snapshot) is None or not arrival.device:
            return
        self.prober.heard(arrival.device, snapshot)
        if notice is not None and self.alerts is not None:
            self._settle(self.alerts, arrival.device, notice, told)

    async def close(self) -> None:
        """End what is under way."""
        looks = [*self._looks.values(), *self._bursts.values()]
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    def _settle(self, alerts: Alerts, device: str, notice: Notice, told: Told) -> None:
        """Have alerts begin and end on the side, the last word about an instance counts."""
        for name in notice.entry.resolves:
            key = Key(device, name, told.index)
            if key in self._looks or key in alerts.firing:
                self._begin(key, alerts.resolve(key))
        if (raised := notice.alert) is None:
            return
        key = Key(device, notice.name, told.index)
        if key in self._looks or len(self._looks) < self.most:
            self._begin(key, self._alert(alerts, key, raised, told))
        else:
            self.telemetry.traps_dropped.labels("too_many_looks").inc()

    def _begin(self, key: Key, work: Coroutine[Any, Any, None]) -> None:
        """Work on the side, in place of what is under way about the same."""
        if (before := self._looks.pop(key, None)) is not None:
            before.cancel()
        _start(self._looks, key, work)

    async def _alert(self, alerts: Alerts, key: Key, raised: Raised, told: Told) -> None:
        """Raise an alert, where the device confirms what it is about; look for others."""
        words = await self._confirmed(key, raised, told)
        if words is None:
            return
        await self._raise(alerts, key, raised, told, words)
        burst = key._replace(instance="")
        if raised.changed is not None and burst not in self._bursts:
            _start(self._bursts, burst, self._others(alerts, burst, raised, told))

    async def _others(self, alerts: Alerts, key: Key, raised: Raised, told: Told) -> None:
        """Raise the alerts of whatever became so with the instance of a trap."""
        await asyncio.sleep(BURST_SECONDS)
        unsaid = dict.fromkeys(told.values, "")
        lately = datetime.now(UTC) - timedelta(seconds=LATELY_SECONDS)
        try:
            for instance in await self._changed_lately(key.device, raised):
                other = key._replace(instance=instance)
                if other in self._looks or alerts.knows(other, lately):
                    continue
                about = replace(told, index=instance, values=unsaid)
                if (words := await self._asked(other, raised, about)) is not None:
                    await self._raise(alerts, other, raised, about, words)
                    self.telemetry.traps_missed.inc(other in alerts.firing)
        except ProtocolError as error:
            log.info("others not looked for", extra={"device": key.device, "error": str(error)})

    async def _changed_lately(self, name: str, raised: Raised) -> list[str]:
        """Return the instances that became what they are in the last minute."""
        snapshot, column = self.inventory.snapshot, raised.changed
        if snapshot is None or name not in snapshot.devices or column is None:
            return []
        deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
        found = await self.prober.column(name, snapshot, column, deadline)
        uptime = found.pop(UPTIME, None)
        if not isinstance(uptime, int) or uptime < STARTING_SECONDS * TICKS:
            return []
        since = uptime - LATELY_SECONDS * TICKS
        changed = [
            oid.removeprefix(f"{column}.")
            for oid, ticks in found.items()
            if isinstance(ticks, int) and since <= ticks <= uptime
        ]
        return changed[:OTHERS]

    async def _raise(
        self, alerts: Alerts, key: Key, raised: Raised, told: Told, words: Mapping[str, str]
    ) -> None:
        """Raise an alert, unless nobody is to hear of it or its cause is another device."""
        if (firing := self._firing(key, raised, told, words)) is None:
            return
        if await self._explained(key, raised, words):
            self.telemetry.traps_of_silent_neighbors.inc()
        else:
            await alerts.fire(key, firing)

    async def _confirmed(self, key: Key, raised: Raised, told: Told) -> Mapping[str, str] | None:
        """Return the words of an alert, None where the device does not say the same as its trap."""
        for pause in _pauses(raised, key.instance):
            await asyncio.sleep(pause)
            try:
                words = await self._asked(key, raised, told)
            except ProtocolError as error:
                detail = {"device": key.device, "trap": key.trap, "error": str(error)}
                log.info("trap not confirmed", extra=detail)
                continue
            if words is not None:
                return words
        self.telemetry.traps_unconfirmed.inc()
        return None

    async def _asked(self, key: Key, raised: Raised, told: Told) -> Mapping[str, str] | None:
        """Return the words of an alert as the device has them now, None where it is no more.

        Raises ProtocolError where the device does not answer.
        """
        if (snapshot := self.inventory.snapshot) is None:
            return None
        if (device := snapshot.devices.get(key.device)) is None:
            return None
        oids = {name: f"{column}.{key.instance}" for name, column in raised.ask.items()}
        got: Answers = {}
        if oids:
            deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
            got = await self.prober.objects(key.device, snapshot, oids.values(), deadline)
        # As the labels of polled series are made, to be the same.
        said = {name: values.text(got.get(oid), "DisplayString") for name, oid in oids.items()}
        known = {"site": device.site, "role": device.role, "vendor": device.vendor}
        words = {**known, **told.values, **said, "index": key.instance, "device": key.device}
        return words if raised.fits(words) else None

    async def _again(self, key: Key, raised: Raised, told: Told) -> Firing | None:
        """Return an alert as it is now, None where it is over; raises ProtocolError."""
        words = await self._asked(key, raised, told)
        if words is None or await self._explained(key, raised, words):
            return None
        return self._firing(key, raised, told, words)

    async def _explained(self, key: Key, raised: Raised, words: Mapping[str, str]) -> bool:
        """Return whether the device at the far end of the port does not answer: it has the alert.

        The rule decides then, as it does about all ports to a device that is down.
        """
        snapshot, interface = self.inventory.snapshot, _interface(raised, words)
        if snapshot is None or not interface:
            return False
        ask = self.prober.silent_neighbor
        silent = await ask(key.device, interface, snapshot, NEIGHBOR_SECONDS)
        if silent:
            log.info("neighbour is silent", extra={"device": key.device, "neighbour": silent})
        return bool(silent)

    def _firing(
        self, key: Key, raised: Raised, told: Told, words: Mapping[str, str]
    ) -> Firing | None:
        """Return an alert, None where nobody is to hear of it, or of its device."""
        rule = self.inventory.rule(raised.name)
        if (device := self.inventory.devices.get(key.device)) is None or not rule.at_once:
            return None
        labels = _labels(raised, device, words)
        if labels["severity"] == UNHEARD:
            return None
        annotations = _annotations(raised, words, self.runbooks, rule)
        again = partial(self._again, key, raised, told)
        return Firing(labels, annotations, again, rule, _since(raised, words))


def _start(tasks: Tasks, key: Key, work: Coroutine[Any, Any, None]) -> None:
    """Work on the side; what is over is taken out."""
    task = tasks[key] = asyncio.create_task(work)
    task.add_done_callback(lambda done: _done(tasks, key, done))


def _done(tasks: Tasks, key: Key, task: asyncio.Task[None]) -> None:
    if tasks.get(key) is task:
        del tasks[key]
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("trap not dealt with", exc_info=error)


def _pauses(raised: Raised, instance: str) -> tuple[float, ...]:
    """Return the seconds before each question; without an instance there is none to ask."""
    if not raised.ask:
        return PAUSES[:1]
    return PAUSES if instance else ()


def _notice(traps: Mapping[str, Notice], oid: str) -> Notice | None:
    """Return what the table says; a v1 trap may have a 0 before its last arc (RFC 3584)."""
    head, _, last = oid.rpartition(".")
    return traps.get(oid) or (traps.get(f"{head[:-2]}.{last}") if head.endswith(".0") else None)


def event(arrival: Arrival, told: Told) -> dict[str, Any]:
    """Return an arrival as the control plane is told of it."""
    note: Notification = arrival.notification
    return {
        "id": str(uuid4()),
        "at": datetime.now(UTC).isoformat(),
        "device": arrival.device,
        "source": arrival.source,
        "trap": told.name,
        "oid": note.oid,
        "severity": told.severity,
        "text": told.text,
        "varbinds": list(_varbinds(note)),
    }


def _varbinds(note: Notification) -> Iterator[dict[str, str]]:
    """Return as much of what came with a notification as an event has room for."""
    left = VARBINDS
    for oid, value in note.bindings:
        shown = reading.shown(value)
        left -= len(oid) + len(shown.encode())
        if left < 0:
            return
        yield {"oid": oid, "value": shown}


def _severity(raised: Raised, device: Device, words: Mapping[str, str]) -> str:
    """Return how loud an alert is: as operators decided about its interface, else by the table."""
    if (decided := device.interfaces.get(_interface(raised, words))) is not None:
        return decided
    if raised.milder is not None and not words[raised.milder.without]:
        return raised.milder.severity
    return raised.severity


def _interface(raised: Raised, words: Mapping[str, str]) -> str:
    return next(filter(None, (words[name] for name in raised.interface)), "")


def _labels(raised: Raised, device: Device, words: Mapping[str, str]) -> dict[str, str]:
    labels = {
        **{label: words[name] for label, name in raised.labels.items()},
        "device": words["device"],
        "site": device.site,
        "role": device.role,
        "vendor": device.vendor,
        "team": device.team,
        "alertname": raised.name,
        "severity": _severity(raised, device, words),
        "alertclass": raised.alertclass,
    }
    return {name: value for name, value in labels.items() if value}


def _since(raised: Raised, words: Mapping[str, str]) -> datetime:
    """Return since when it is so, as the device says; where it does not, that is now."""
    lasting = words.get(raised.lasting, "")
    seconds = int(lasting) if lasting.isdecimal() and int(lasting) <= LONGEST_SECONDS else 0
    return datetime.now(UTC) - timedelta(seconds=seconds)


def _annotations(
    raised: Raised, words: Mapping[str, str], runbooks: str, rule: Rule
) -> dict[str, str]:
    shown = {name: reading.clean(text) for name, text in words.items()}
    return {
        "summary": reading.filled(raised.summary, shown),
        "description": reading.filled(raised.description, shown),
        "runbook_url": f"{runbooks}/runbooks/{raised.name}" if runbooks else "",
        "dashboard_url": reading.filled(rule.dashboard_url, {"device": words["device"]}),
    }
