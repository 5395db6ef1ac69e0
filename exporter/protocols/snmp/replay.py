"""Walks that were made before: pages as they were then are read by their layout, others decoded.

Whatever a layout does not say octet by octet goes to the decoder, and only what that has read is
remembered; so a page means the same either way. Which device sent it is nothing to a layout.
"""

import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from gufo.snmp._fast import GetIter

from exporter.config import Auth
from exporter.profiles.values import Value
from exporter.protocols.snmp import pages, pdus
from exporter.protocols.snmp.limits import Traffic
from exporter.protocols.snmp.pages import Answer
from exporter.protocols.snmp.relay import Relay

IDLE = 3600.0  # seconds after which a device that nobody asks makes room for others
UNUSED = 3  # walks after which a page that did not come again is forgotten
WORTH = 16  # readings that make up for learning a layout
LONGEST_WAIT = 64  # pages of another layout at most before one is learned again
ROOM = 0.9  # of the budget, below which there is room again
MOST_PAGES = 1000  # of one walk, so that no device takes what is there for all
OVERHEAD = 512  # octets of what a page is kept in

Key = tuple[str, int]
"""Which walk: its root, and how many values are asked for at once."""

Names = tuple[str, ...]


class Bindings(NamedTuple):
    """What one response brought, the OID of the last, and whether the subtree ends behind it."""

    found: Iterable[tuple[str, Value]]
    last: str
    ends: bool

    @classmethod
    def of(cls, page: list[tuple[str, Value] | None]) -> Self:
        """Return what the codec read, for which None is the end of the subtree."""
        found = [binding for binding in page if binding is not None]
        return cls(found, found[-1][0] if found else "", len(found) < len(page) or not page)


@dataclass(slots=True)
class Seen:
    """A page that came in answer to a question; without a layout it is one to be decoded.

    `ends` says that the subtree ends with it, `onward` is how the next is asked for.
    """

    layout: pages.Page | None
    names: Names
    ends: bool
    onward: bytes
    octets: int
    walk: int
    wait: int
    hits: int = 0
    misses: int = 0


@dataclass(slots=True)
class Walk:
    """The pages of one walk, by the OID after which they were asked for, and how often it began."""

    pages: dict[str, Seen] = field(default_factory=dict)
    begun: int = 0


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
    names: dict[Names, tuple[Names, list[int]]] = field(default_factory=dict)

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
        fresh = seen.names not in self.names
        seen.octets = OVERHEAD + sys.getsizeof(asked) + sys.getsizeof(seen.onward)
        seen.octets += seen.layout.octets() if seen.layout else 0
        if not self._taken(seen.octets + (_octets(seen.names) if fresh else 0)):
            return
        seen.names, users = self.names.setdefault(seen.names, (seen.names, [0]))
        users[0] += 1
        walk.pages[asked] = seen

    def _taken(self, octets: int) -> bool:
        """Return whether there was room for so much."""
        self.full = self.used + octets > self.budget
        if not self.full:
            self.used += octets
        return not self.full

    def _drop(self, walk: Walk, asked: str) -> None:
        seen = walk.pages.pop(asked)
        self.used -= seen.octets
        _, users = self.names[seen.names]
        users[0] -= 1
        if not users[0]:
            del self.names[seen.names]
            self.used -= _octets(seen.names)
        self.full = self.full and self.used > ROOM * self.budget

    def _make_room(self, now: float) -> None:
        while self.devices and now - next(iter(self.devices.values())).used > IDLE:
            _, device = self.devices.popitem(last=False)
            for walk in device.walks.values():
                for asked in list(walk.pages):
                    self._drop(walk, asked)
            self.used -= OVERHEAD * (1 + len(device.walks))
            self.full = self.full and self.used > ROOM * self.budget


def _octets(names: Names) -> int:
    """Return how much memory names take that one or many devices have."""
    return OVERHEAD + sys.getsizeof(names) + sum(map(sys.getsizeof, names))


class Replay:
    """Asks for the pages of one walk, and reads them as it can."""

    def __init__(
        self, memory: Memory, walk: Walk, relay: Relay, traffic: Traffic, key: Key
    ) -> None:
        self._memory, self._walk, self._relay, self._traffic = memory, walk, relay, traffic
        self._asked, self._repetitions = key
        self._cursor = GetIter(*key)
        self._onward = self._question()
        self._answer: Answer | None = None
        self._found: list[Value] | None = None

    def send(self) -> None:
        """Ask for the next page."""
        self._relay.ask(self._onward, self._cursor, self)

    def read(self, answer: bytes, identity: bytes) -> bool:
        """Read an answer by its layout; return whether it has that."""
        seen = self._walk.pages.get(self._asked)
        self._answer = None
        self._found = seen.layout.read(answer, identity) if seen and seen.layout else None
        return self._found is not None

    def offered(self, answer: Answer) -> None:
        """Keep an answer to learn its layout."""
        self._answer = answer

    def receive(self) -> Bindings:
        """Return the page in the answer taken."""
        if self._found is None:
            return self._decoded()
        seen = self._walk.pages[self._asked]
        seen.hits, seen.walk = seen.hits + 1, self._walk.begun
        self._traffic.replayed += 1
        found = zip(seen.names, self._found, strict=True)
        if seen.ends:
            return Bindings(found, self._asked, ends=True)
        self._asked, self._onward = seen.names[-1], seen.onward
        return Bindings(found, self._asked, ends=False)

    def _decoded(self) -> Bindings:
        page = Bindings.of(self._relay.recv_get_bulk(self._cursor))
        self._traffic.decoded += 1
        asked = self._asked
        if not page.ends:
            self._asked = page.last
            self._onward = self._question()
        if self._answer is not None:
            self._learn(asked, self._answer, page)
        return page

    def _question(self) -> bytes:
        return pdus.bulk(self._asked, self._repetitions)

    def _learn(self, asked: str, answer: Answer, page: Bindings) -> None:
        """Remember how a page looks, unless it did not stay as it was before for long."""
        wait = 1
        if (seen := self._walk.pages.get(asked)) is not None:
            seen.misses, seen.walk = seen.misses + 1, self._walk.begun
            if seen.misses < seen.wait:
                return
            wait = 1 if seen.hits >= WORTH else min(2 * seen.wait, LONGEST_WAIT)
        elif self._memory.full or len(self._walk.pages) >= MOST_PAGES:
            return
        names = tuple(name for name, _ in page.found)
        layout = pages.page(answer, names, [value for _, value in page.found])
        made = Seen(
            layout,
            names if layout else (),
            page.ends,
            self._onward,
            0,
            self._walk.begun,
            wait,
        )
        self._memory.keep(self._walk, asked, made)
