"""Samples as text: Prometheus' exposition format 0.0.4, written without prometheus_client.

prometheus_client renames counters to `…_total` and costs over thirty times as much per sample.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from exporter.metrics import Family, Number

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Page(NamedTuple):
    """A rendered scrape, and how many samples were left out because their series was there."""

    body: bytes
    duplicates: int


def render(families: Iterable[Family]) -> Page:
    """Return families as text; those of one name become one group, as Prometheus demands."""
    lines: list[str] = []
    duplicates = 0
    for group in _grouped(families):
        family = group
        if not group.distinct and len(set(group.blocks)) != len(group.blocks):
            family = _first_of_each(group)
            duplicates += len(group.blocks) - len(family.blocks)
        name = family.name
        lines.append(f"# HELP {name} {_help(family.help)}\n# TYPE {name} {family.kind}")
        pairs = zip(family.blocks, _texts(family.numbers), strict=True)
        # The name comes with the separator, which is cheaper than once more in every line.
        lines.append(name + f"\n{name}".join([f"{block} {number}" for block, number in pairs]))
    lines.append("")
    # Device text may hold lone surrogates that no UTF-8 can carry.
    return Page("\n".join(lines).encode("utf-8", "replace"), duplicates)


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


def _help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _texts(numbers: list[Number]) -> Iterable[Number | str]:
    """Return numbers as they are written; integers need nothing."""
    return numbers if set(map(type, numbers)) == {int} else map(_text, numbers)


def _text(value: Number) -> str:
    if type(value) is int:
        return str(value)
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
