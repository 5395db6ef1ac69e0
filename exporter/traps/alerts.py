"""Alerts of traps, straight to Alertmanager: told at once, again while they last, and when over."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from exporter.errors import ProtocolError
from exporter.inventory import Rule
from exporter.telemetry import Telemetry
from exporter.traps.flaps import Flaps

if TYPE_CHECKING:
    import httpx  # slow to import, and not needed without an Alertmanager

log = logging.getLogger(__name__)

PATH = "/api/v2/alerts"
AGAIN_SECONDS = 30.0
LEASE = timedelta(seconds=90)  # for which Alertmanager keeps one that it hears no more of
LAST = timedelta(minutes=15)  # at least; by twice the time of its rule polling has its own word
MOST = 10_000
AT_ONCE = 64  # devices that are asked side by side whether their alerts last

Look = Callable[[], Awaitable["Firing | None"]]
"""Gives an alert as it is now, None where it is over; raises ProtocolError where nobody can say."""


class Key(NamedTuple):
    """What an alert is about: an instance, as a trap of a device names it."""

    device: str
    trap: str
    instance: str


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert: its name and words, how to find out whether it lasts, its rule, since when."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    look: Look = field(repr=False, compare=False)
    rule: Rule = field(default_factory=Rule)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def taken_over(self) -> datetime:
        """From when on its rule may fire, too.

        Then its end is Prometheus' to tell, else there would be an end, another beginning and
        another end.
        """
        return self.since + timedelta(seconds=self.rule.for_seconds)

    @property
    def forgotten(self) -> datetime:
        """When it is told no more: its rule fires by then, or never will."""
        return self.since + max(LAST, 2 * timedelta(seconds=self.rule.for_seconds))

    def posted(self, ends: datetime) -> dict[str, Any]:
        """Return it as Alertmanager takes it."""
        return {
            "labels": dict(self.labels),
            "annotations": {name: text for name, text in self.annotations.items() if text},
            "startsAt": self.since.isoformat(),
            "endsAt": ends.isoformat(),
        }


@dataclass(slots=True)
class Alerts:
    """The alerts that last; every Alertmanager is told all of them."""

    clients: "Sequence[httpx.AsyncClient]"
    telemetry: Telemetry
    firing: dict[Key, Firing] = field(default_factory=dict)
    flaps: Flaps = field(default_factory=Flaps)

    async def fire(self, key: Key, firing: Firing) -> None:
        """Tell of an alert; one that lasts keeps its beginning, other labels make another.

        One that flaps is for the rules, and so is one that began long ago, of which a trap tells
        anew.
        """
        now, known = datetime.now(UTC), self.firing.pop(key, None)
        if known is not None and known.labels == firing.labels:
            firing, known = replace(firing, since=known.since), None
        elif known is None and (now >= firing.forgotten or self._flaps(key, firing)):
            return
        elif len(self.firing) >= MOST:
            del self.firing[next(iter(self.firing))]
        self.firing[key] = firing
        await self.tell([*_ended(known, now), firing.posted(now + LEASE)])

    def knows(self, key: Key, since: datetime) -> bool:
        """Say whether an alert lasts, or began since a moment: it may be over, or flap."""
        return key in self.firing or self.flaps.began(key, since)

    def _flaps(self, key: Key, firing: Firing) -> bool:
        window = timedelta(seconds=firing.rule.flap_seconds)
        return self.flaps.begins(key, firing.since, window)

    async def resolve(self, key: Key) -> None:
        """Tell that an alert is over, unless that is for a rule to say."""
        if ended := _ended(self.firing.pop(key, None), datetime.now(UTC)):
            await self.tell(ended)

    async def run(self) -> None:
        """Tell of all that last, again and again."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            await self.again(datetime.now(UTC))

    async def again(self, now: datetime) -> None:
        """Tell once more of what devices still say; forget what has lasted long enough.

        What is over ends, as its trap may have been lost. While a device does not answer nothing is
        told of it, so its alerts run out.
        """
        self.firing = {key: one for key, one in self.firing.items() if now < one.forgotten}
        devices: dict[str, list[Key]] = defaultdict(list)
        for key in self.firing:
            devices[key.device].append(key)
        gate = asyncio.Semaphore(AT_ONCE)

        async def turn(keys: list[Key]) -> None:
            async with gate:
                await self._again(keys)

        turns = (turn(keys) for keys in devices.values())
        for failure in await asyncio.gather(*turns, return_exceptions=True):
            if failure is not None:
                log.error("alerts not told again", exc_info=failure)

    async def _again(self, keys: Iterable[Key]) -> None:
        """Tell once more of the alerts of a device; if it does not answer once, it is let be."""
        lasting: dict[Key, Firing] = {}
        for key in keys:
            if (known := self.firing.get(key)) is None:
                continue
            try:
                found = await known.look()
            except ProtocolError as error:
                log.info("alerts not confirmed", extra={"device": key.device, "error": str(error)})
                break
            if self.firing.get(key) is not known:
                continue  # a trap was faster
            if found is None:
                await self.resolve(key)
            elif found.labels != known.labels:
                await self.fire(key, found)
            else:
                lasting[key] = known
        ends = datetime.now(UTC) + LEASE
        told = [one.posted(ends) for key, one in lasting.items() if self.firing.get(key) is one]
        if told:
            await self.tell(told)

    async def tell(self, alerts: list[dict[str, Any]]) -> None:
        """Tell every Alertmanager; one that does not hear it is told again with the next round."""
        await asyncio.gather(*(self._tell(client, alerts) for client in self.clients))

    async def _tell(self, client: "httpx.AsyncClient", alerts: list[dict[str, Any]]) -> None:
        import httpx  # noqa: PLC0415 - see above

        try:
            (await client.post(PATH, json=alerts)).raise_for_status()
        except httpx.HTTPError as error:
            self.telemetry.trap_alerts_failed.inc()
            problem = f"{type(error).__name__}: {error}"
            log.warning("Alertmanager not told", extra={"error": problem})
        else:
            self.telemetry.trap_alerts.inc(len(alerts))

    async def close(self) -> None:
        """Give the connections back."""
        for client in self.clients:
            await client.aclose()


def _ended(firing: Firing | None, now: datetime) -> list[dict[str, Any]]:
    """Return the end of an alert as Alertmanager takes it, if it is not for a rule to tell."""
    if firing is None or now >= firing.taken_over:
        return []
    return [firing.posted(now)]
