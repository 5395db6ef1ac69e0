"""Where the columns of a module stand in a device's answers; what is kept from scrape to scrape.

A device answers with the same OIDs in the same order nearly every time. What that order means is
worked out once and shared by all devices that have it; each device keeps its rendered labels only.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exporter.profiles.rows import Labels

if TYPE_CHECKING:
    from exporter.profiles.table import Column

LIMIT = 400_000_000  # bytes, of all devices together


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive answers that belong to one column; `rows` is the place of their indexes."""

    column: "Column"
    start: int
    stop: int
    rows: int


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Layout:
    """The parts of the answers, and the dotted indexes that they share.

    `groups` is every pair of a group of columns and its rows, each once.
    """

    parts: tuple[Part, ...]
    indexes: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of one device and module."""

    layout: Layout
    labels: dict[tuple[int, int], Labels]

    def weight(self) -> int:
        """Return about how many bytes of memory this takes."""
        own = sum(labels.weight() for labels in self.labels.values())
        return 1000 + own + 128 * len(self.layout.parts)


@dataclass(slots=True)
class Memory:
    """What is kept of many devices; those not asked for longest go when it gets too much."""

    limit: int = LIMIT
    weight: int = 0
    _known: "OrderedDict[Hashable, tuple[Remembered, int]]" = field(default_factory=OrderedDict)

    def get(self, key: Hashable) -> Remembered | None:
        """Return what is kept under a key."""
        if (found := self._known.get(key)) is None:
            return None
        self._known.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Remembered) -> None:
        """Keep something, and forget others for it."""
        self.drop(key)
        self._known[key] = value, value.weight()
        self.weight += self._known[key][1]
        while self.weight > self.limit:
            self.drop(next(iter(self._known)))

    def drop(self, key: Hashable) -> None:
        """Forget what is kept under a key."""
        if (found := self._known.pop(key, None)) is not None:
            self.weight -= found[1]
