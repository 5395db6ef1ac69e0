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
    for family in _grouped(families):
        name = family.name
        samples = family.samples
        if len({block for block, _ in samples}) != len(samples):
            unique = _first_of_each(samples)
            duplicates += len(samples) - len(unique)
            samples = unique
        lines.append(f"# HELP {name} {_help(family.help)}\n# TYPE {name} {family.kind}")
        lines += [f"{name}{block} {_text(value)}" for block, value in samples]
    lines.append("")
    # Device text may hold lone surrogates that no UTF-8 can carry.
    return Page("\n".join(lines).encode("utf-8", "replace"), duplicates)


def _grouped(families: Iterable[Family]) -> list[Family]:
    groups: dict[str, Family] = {}
    for family in families:
        if not family.samples:
            continue
        if (group := groups.get(family.name)) is None:
            groups[family.name] = family
        else:
            samples = [*group.samples, *family.samples]
            groups[family.name] = Family(group.name, group.kind, group.help, samples)
    return list(groups.values())


def _first_of_each(samples: list[tuple[str, Number]]) -> list[tuple[str, Number]]:
    first: dict[str, Number] = {}
    for block, value in samples:
        first.setdefault(block, value)
    return list(first.items())


def _help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _text(value: Number) -> str:
    if type(value) is int:
        return str(value)
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
