"""What is remembered of walks that were made before, of all devices, within a budget.

Which device sent a page is nothing to its layout; names are shared by devices that have the same.
"""

import sys
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from exporter.config import Auth
from exporter.protocols.snmp import pages

IDLE = 3600.0  # seconds after which a device that nobody asks makes room for others
UNUSED = 3  # walks after which a page that did not come again is forgotten
WORTH = 16  # readings that make up for learning a layout, and walks that do for a plan
TRUST = 1  # walks in a row with a plan that was not answered, before there is another
LONGEST_WAIT = 64  # pages of another layout at most before one is learned again
ROOM = 0.9  # of the budget, below which there is room again
MOST_PAGES = 1000  # of one walk, so that no device takes what is there for all
LARGEST = 65_535  # octets of a datagram
OVERHEAD = 512  # octets of what a page is kept in

Key = tuple[str, int, int]
"""Which walk: its root, how many values are asked for at once, and how many where they fit."""

Names = tuple[str, ...]

Plan = tuple[tuple[str, int], ...]
"""After which OIDs to ask for how many values."""


Shared = TypeVar("Shared", Names, Plan)


@dataclass(slots=True)
class Seen:
    """A page that came in answer to a question; without a layout it is one to be decoded.

    `ends` says that the subtree ends with it, `onward` is how the next is asked for, and `widths`
    are the octets that its values may take; they are only known where the names are.
    """

    layout: pages.Page | None
    names: Names
    ends: bool
    onward: bytes
    widths: "array[int]"
    walk: int
    wait: int
    octets: int = 0
    hits: int = 0
    misses: int = 0


@dataclass(slots=True)
class Walk:
    """The pages of one walk, by the OID after which they were asked for, and how often it began.

    The `plan` says after which OID to ask for how many values; it is there `since` a walk, and
    stays for so many as `wait` says. `room` is how many octets of values an answer takes,
    `failures` how often in a row the plan asked for too much; `changed` is a walk not planned for.
    """

    pages: dict[str, Seen] = field(default_factory=dict)
    begun: int = 0
    plan: Plan = ()
    room: int = LARGEST
    changed: bool = False
    since: int = 0
    wait: int = 1
    failures: int = 0

    @property
    def unsettled(self) -> bool:
        """Whether it may be planned anew: the more often it was, the more seldom."""
        return self.begun - self.since >= self.wait

    @property
    def lasting(self) -> bool:
        """Whether there is a plan that made up for learning the pages it brought."""
        return bool(self.plan) and self.begun - self.since >= WORTH


@dataclass(slots=True)
class Device:
    """The walks of a device asked with one auth, and when it was asked last."""

    used: float
    walks: dict[Key, Walk] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """What is remembered of all devices, in at most `budget` octets.

    Who came first stays: where all are asked in turn, forgetting the least recently asked would
    forget each just before it is asked again.
    """

    budget: int
    clock: Callable[[], float] = time.monotonic
    used: int = 0
    full: bool = False
    devices: OrderedDict[tuple[str, Auth], Device] = field(default_factory=OrderedDict)
    shared: dict[Names | Plan, tuple[Any, list[int]]] = field(default_factory=dict)

    def of(self, target: str, auth: Auth) -> Device | None:
        """Return what is known of a device; None where there is no room for it."""
        key, now = (target, auth), self.clock()
        if (device := self.devices.get(key)) is None:
            if self.full:
                self._make_room(now)
            if self.full or not self._taken(OVERHEAD):
                return None
            self.devices[key] = device = Device(now)
        device.used = now
        self.devices.move_to_end(key)
        return device

    def walk(self, device: Device, key: Key) -> Walk | None:
        """Return a walk that begins once more, without the pages that no longer come.

        None where it is new, and there is no room for it.
        """
        if (walk := device.walks.get(key)) is None:
            if not self._taken(OVERHEAD):
                return None
            walk = device.walks[key] = Walk()
        walk.begun += 1
        for asked in [a for a, s in walk.pages.items() if walk.begun - s.walk > UNUSED]:
            self._drop(walk, asked)
        return walk

    def keep(self, walk: Walk, asked: str, seen: Seen) -> None:
        """Remember a page in place of the one before, if there is room for it."""
        if asked in walk.pages:
            self._drop(walk, asked)
        seen.octets = OVERHEAD + sum(map(sys.getsizeof, (asked, seen.onward, seen.widths)))
        seen.octets += seen.layout.octets() if seen.layout else 0
        if not self._taken(seen.octets):
            return
        if (names := self._share(seen.names)) is None:
            self.used -= seen.octets
            return
        seen.names = names
        walk.pages[asked] = seen

    def _share(self, value: Shared) -> Shared | None:
        """Return what stands for all that are equal to a value; None where there is no room."""
        if not value:
            return value
        if value not in self.shared:
            if not self._taken(_octets(value)):
                return None
            self.shared[value] = value, [0]
        same, users = self.shared[value]
        users[0] += 1
        return cast("Shared", same)

    def _release(self, value: Names | Plan) -> None:
        """Let go of something shared."""
        if not value:
            return
        users = self.shared[value][1]
        users[0] -= 1
        if not users[0]:
            del self.shared[value]
            self.used -= _octets(value)

    def replan(self, walk: Walk, plan: Plan) -> None:
        """Have another plan for a walk, and forget its pages, which end elsewhere now."""
        for asked in list(walk.pages):
            self._drop(walk, asked)
        self._release(walk.plan)
        walk.wait = 1 if walk.lasting else min(2 * walk.wait, LONGEST_WAIT)
        walk.plan, walk.since, walk.failures = self._share(plan) or (), walk.begun, 0

    def _taken(self, octets: int) -> bool:
        """Return whether there was room for so much."""
        self.full = self.used + octets > self.budget
        if not self.full:
            self.used += octets
        return not self.full

    def _drop(self, walk: Walk, asked: str) -> None:
        seen = walk.pages.pop(asked)
        self.used -= seen.octets
        self._release(seen.names)
        self.full = self.full and self.used > ROOM * self.budget

    def _make_room(self, now: float) -> None:
        while self.devices and now - next(iter(self.devices.values())).used > IDLE:
            _, device = self.devices.popitem(last=False)
            for walk in device.walks.values():
                self._release(walk.plan)
                for asked in list(walk.pages):
                    self._drop(walk, asked)
            self.used -= OVERHEAD * (1 + len(device.walks))
            self.full = self.full and self.used > ROOM * self.budget


def _octets(shared: Names | Plan) -> int:
    """Return how much memory something takes that one or many devices have."""
    inner = [part for pair in shared if isinstance(pair, tuple) for part in pair]
    return OVERHEAD + sum(map(sys.getsizeof, (shared, *shared, *inner)))
