"""Devices at the far ends of ports, as devices told by LLDP or CDP when they were probed.

As in the rule about ports that are down, what was told within the hour counts: a port that is down
has no neighbour any more.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from exporter.metrics import Family

FAMILY = "chm_neighbor_info"
KEPT_SECONDS = 3600.0
MOST = 1000  # neighbours of one device that are remembered, each a device of the inventory, too

_LABEL = re.compile(r'[{,](interface|neighbor)="((?:[^"\\]|\\.)*)"')
# Devices announce themselves with or without their domain; an address is no domain.
_SHORT = re.compile(r"([^.]*[A-Za-z][^.]*)\..*", re.DOTALL)


@dataclass(slots=True)
class Neighbors:
    """When each neighbour was last told of, by device, port and name; times in seconds."""

    most: int = MOST
    _told: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict, init=False)

    def note(
        self, device: str, families: Iterable[Family], known: Collection[str], now: float
    ) -> None:
        """Remember what a probe has of neighbours that are `known` devices, and forget the old."""
        blocks = (block for made in families if made.name == FAMILY for block in made.blocks)
        fresh = {pair: now for block in blocks for pair in _pairs(block) if pair[1] in known}
        for pair, at in self._told.pop(device, {}).items():
            if at > now - KEPT_SECONDS:
                fresh.setdefault(pair, at)
        if fresh:
            self._told[device] = dict(islice(fresh.items(), self.most))
        if len(self._told) > len(known):
            self._told = {name: self._told[name] for name in self._told if name in known}

    def at(self, device: str, interface: str, now: float) -> list[str]:
        """Return the names of the devices at a port, as told within the hour."""
        return [
            neighbor
            for (port, neighbor), at in self._told.get(device, {}).items()
            if port == interface and at > now - KEPT_SECONDS
        ]


def _pairs(block: str) -> Iterator[tuple[str, str]]:
    """Return the port and the names that a neighbour may have, of the labels of a series."""
    labels = {name: re.sub(r"\\(.)", _unescaped, text) for name, text in _LABEL.findall(block)}
    port, neighbor = labels.get("interface", ""), labels.get("neighbor", "")
    yield port, neighbor
    if (short := _SHORT.fullmatch(neighbor)) is not None:
        yield port, short[1]


def _unescaped(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else escape[1]
