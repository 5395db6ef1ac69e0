"""Samples as text: Prometheus' exposition format 0.0.4, written without prometheus_client.

prometheus_client renames counters to `…_total` and costs over thirty times as much per sample.
"""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from exporter.metrics import Family, Number

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEADS = 10_000  # families whose first lines are kept as they are written


class Page(NamedTuple):
    """A rendered scrape, and how many samples were left out because their series was there."""

    body: bytes
    duplicates: int


def render(families: Iterable[Family]) -> Page:
    """Return families as text; those of one name become one group, as Prometheus demands."""
    parts: list[bytes] = []
    duplicates = 0
    for group in _grouped(families):
        family = group
        if not group.distinct and len(set(group.blocks)) != len(group.blocks):
            family = _first_of_each(group)
            duplicates += len(group.blocks) - len(family.blocks)
        parts += _head(family.name, family.kind, family.help), _rows(family)
    return Page(b"".join(parts), duplicates)


@lru_cache(HEADS)
def _head(name: str, kind: str, text: str) -> bytes:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode("utf-8", "replace")


def _rows(family: Family) -> bytes:
    """Return the lines of a family, filled into a template, which is cheaper than one by one."""
    # The name comes with the separator, which is cheaper than once more in every line.
    lines = family.name + f"\n{family.name}".join(family.blocks) + "\n"
    # Device text may hold lone surrogates that no UTF-8 can carry. A line has one end: blocks hold
    # none, as label values are escaped.
    template = lines.encode("utf-8", "replace").replace(b"%", b"%%")
    numbers = family.numbers
    if set(map(type, numbers)) == {int}:
        return template.replace(b"\n", b" %d\n") % tuple(numbers)
    return template.replace(b"\n", b" %b\n") % tuple(map(_text, numbers))


def _grouped(families: Iterable[Family]) -> list[Family]:
    groups: dict[str, Family] = {}
    for family in families:
        if not family.blocks:
            continue
        if (group := groups.get(family.name)) is None:
            groups[family.name] = family
        else:
            blocks, numbers = group.blocks + family.blocks, group.numbers + family.numbers
            groups[family.name] = Family(group.name, group.kind, group.help, blocks, numbers)
    return list(groups.values())


def _first_of_each(family: Family) -> Family:
    first: dict[str, Number] = {}
    for block, number in zip(family.blocks, family.numbers, strict=True):
        first.setdefault(block, number)
    return Family(family.name, family.kind, family.help, list(first), list(first.values()))


def _text(value: Number) -> bytes:
    if type(value) is int:
        return b"%d" % value
    if math.isinf(value):
        return b"+Inf" if value > 0 else b"-Inf"
    return b"NaN" if math.isnan(value) else repr(value).encode()
