"""Walks that were made before: pages as they were then are read by their layout, others decoded.

Whatever a layout does not say octet by octet goes to the decoder, and only what that has read is
remembered; so a page means the same either way. Which device sent it is nothing to a layout.
"""

from array import array
from collections.abc import Iterable
from itertools import accumulate

from gufo.snmp._fast import GetIter

from exporter.profiles.values import Value
from exporter.protocols.snmp import datagrams, pages, pdus
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.limits import Traffic
from exporter.protocols.snmp.memory import (
    LONGEST_WAIT,
    MOST_PAGES,
    TRUST,
    WORTH,
    Key,
    Memory,
    Plan,
    Seen,
    Walk,
)
from exporter.protocols.snmp.pages import Answer
from exporter.protocols.snmp.relay import Relay

Bindings = tuple[Iterable[tuple[str, Value]], str, bool]
"""What one response brought, the OID of the last, and whether the subtree ends behind it."""


def bindings(page: list[tuple[str, Value] | None]) -> Bindings:
    """Return what the codec read, for which None is the end of the subtree."""
    found = [binding for binding in page if binding is not None]
    return found, found[-1][0] if found else "", len(found) < len(page) or not page


class Replay:
    """Asks for the pages of one walk, and reads them as it can.

    Where that is wished, it asks for as many values as fit into a datagram, once they are known.
    """

    def __init__(
        self, memory: Memory, walk: Walk, relay: Relay, traffic: Traffic, key: Key
    ) -> None:
        self._memory, self._walk, self._relay, self._traffic = memory, walk, relay, traffic
        self._root, self._repetitions, self._most = key
        self._asked, self._plan, self._planned = self._root, dict(walk.plan), True
        self._cursor = GetIter(self._root, self._repetitions)
        self._onward = self._question()
        self._open = False
        self._answer: Answer | None = None
        self._seen: Seen | None = None
        self._found: list[Value] | None = None

    def send(self) -> None:
        """Ask for the next page, or once more for less."""
        if self._open:
            self.lowered()
        self._open = True
        self._relay.ask(self._onward, self._cursor, self)

    def lowered(self) -> bool:
        """Do without the plan for the rest of the walk; return whether it asked for too much."""
        if self._plan.get(self._asked, 0) <= self._repetitions:
            return False
        self._plan, self._planned = {}, False
        self._onward = self._question()
        self._walk.failures += 1
        # What was answered before may have been lost; what never was may be too much.
        if self._walk.failures > TRUST or self._asked not in self._walk.pages:
            self._memory.replan(self._walk, ())
        return True

    def read(self, answer: bytes, identity: bytes) -> bool:
        """Read an answer by its layout; return whether it has that."""
        self._seen = seen = self._walk.pages.get(self._asked)
        self._answer = None
        layout = seen.layout if seen is not None else None
        self._found = found = layout.read(answer, identity) if layout is not None else None
        return found is not None

    def offered(self, answer: Answer) -> None:
        """Keep an answer to learn its layout."""
        self._answer = answer

    def receive(self) -> Bindings:
        """Return the page in the answer taken."""
        seen = self._seen
        if self._found is None or seen is None:
            return self._decoded()
        self._open = False
        seen.hits += 1
        seen.walk = self._walk.begun
        self._traffic.replayed += 1
        names = seen.names
        found = zip(names, self._found, strict=True)
        if seen.ends:
            self._ended()
            return found, self._asked, True
        self._asked = last = names[-1]
        self._onward = seen.onward if self._planned else self._question()
        return found, last, False

    def _decoded(self) -> Bindings:
        page = bindings(self._relay.recv_get_bulk(self._cursor))
        self._open = False
        self._traffic.decoded += 1
        asked, (_, last, ends) = self._asked, page
        if not ends:
            self._asked = last
            self._onward = self._question()
        if self._answer is not None and self._planned:
            self._learn(asked, self._answer, page)
        elif ends and self._planned and self._most:
            self._note_end(asked, page)
        if ends:
            self._ended()
        return page

    def _question(self) -> bytes:
        return pdus.bulk(self._asked, self._plan.get(self._asked, self._repetitions))

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
        found, _, ends = page
        names = tuple(name for name, _ in found)
        # The pages of a walk that is yet to be planned will end elsewhere.
        layout, widths = None, array("H")
        if self._walk.begun > 1 or not self._most:
            layout = pages.page(answer, names, [value for _, value in found])
        if self._most:
            widths = self._measured(asked, answer, len(names), ends=ends)
        known = names if layout or widths else ()
        made = Seen(layout, known, ends, self._onward, widths, self._walk.begun, wait)
        self._memory.keep(self._walk, asked, made)

    def _note_end(self, asked: str, page: Bindings) -> None:
        """Remember the names of a last page that is too short to have a layout."""
        names = tuple(name for name, _ in page[0])
        if (seen := self._walk.pages.get(asked)) is not None and seen.names == names:
            seen.walk = self._walk.begun
            return
        widths = array("H", [datagrams.BEHIND] * len(names))
        made = Seen(None, names, True, self._onward, widths, self._walk.begun, 1)
        self._memory.keep(self._walk, asked, made)
        self._walk.changed = True

    def _measured(self, asked: str, answer: Answer, count: int, *, ends: bool) -> "array[int]":
        """Return the octets that the values of a page may take, and note what fits into one."""
        walk, planned = self._walk, self._plan.get(asked, 0)
        try:
            widths = array("H", datagrams.widths(answer, count))
        except Malformed:
            return array("H")
        walk.changed, walk.room = True, min(walk.room, datagrams.room(answer))
        if count < planned and not ends:
            # The agent sends less than a datagram holds, and maybe no more than without a plan.
            walk.room = 0 if count <= self._repetitions < planned else min(walk.room, sum(widths))
        return widths

    def _ended(self) -> None:
        """Plan the next walk where this one was another than before."""
        walk = self._walk
        if not self._planned:
            return
        walk.failures = 0
        if walk.changed and walk.unsettled:
            walk.changed = False
            if (plan := self._fitting()) is not None:
                self._memory.replan(walk, plan)

    def _fitting(self) -> Plan | None:
        """Return how the pages of this walk are better cut; None where that is good as it is."""
        walk, asked, ends, good = self._walk, self._root, False, True
        names, widths, cuts = [asked], array("H"), 0
        for _ in walk.pages:
            seen = walk.pages.get(asked)
            if ends or seen is None or seen.walk != walk.begun or not (seen.names or seen.ends):
                break
            names += seen.names
            widths += seen.widths
            good = good and asked in self._plan and sum(seen.widths) <= walk.room
            asked, ends, cuts = names[-1], seen.ends, cuts + 1
        if (room := walk.room - datagrams.MARGIN) <= 0:
            return () if walk.plan else None
        if not ends or len(widths) <= self._repetitions:
            return None
        counts = datagrams.counts([*widths, datagrams.BEHIND], room, self._most)
        # A device that has just started tells small numbers, which will soon be larger.
        if good and (cuts <= len(counts) or not walk.lasting):
            return None
        starts = accumulate(counts[:-1], initial=0)
        plan = tuple((names[at], count) for at, count in zip(starts, counts, strict=True))
        return None if plan == walk.plan else plan
