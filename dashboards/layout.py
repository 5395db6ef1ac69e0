"""Where panels stand: lines of Grafana's 24 columns, filled from the left like text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dashboards.panel import Panel, Section

COLUMNS = 24


@dataclass(frozen=True)
class Place:
    """A rectangle on the grid: 24 columns wide, a row is 30 pixels high."""

    x: int
    y: int
    width: int
    height: int


def place(sections: Iterable[Section]) -> Iterator[tuple[Section | Panel, Place]]:
    """Every heading (as its section) and panel with its rectangle, from top to bottom."""
    y = 0
    for section in sections:
        if section.title:
            yield section, Place(0, y, COLUMNS, 1)
            y += 1
        x = tallest = 0
        for panel in section.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            yield panel, Place(x, y, panel.width, panel.height)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
