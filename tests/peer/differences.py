"""Where we differ from snmp_exporter on purpose; each difference has its row in the guide."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.peer.pages import Page, name_of

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "move-from-snmp-exporter.md"
NUMBERS = frozenset({"gauge", "counter", "Float", "Double"})
MEASURED = re.compile(r"snmp_scrape_((walk_)?duration_seconds|packets_\w+)\{.*")

# What snmp_exporter says when it gives up a scrape that we do not.
REFUSALS = {
    "duplicate-series": "was collected before with the same name and label values",
    "invalid-utf8-index": "is not valid UTF-8",
    "bits-without-octets": "BITS type was not a BISTRING on the wire|error for metric .*: int",
}
SILENCES = frozenset({"not-a-number", "impossible-date", "measured"})
# What we give up and snmp_exporter does not.
ERRORS = frozenset({"broken-walk"})


def documented() -> set[str]:
    """Return the names of the differences in the guide's table."""
    return set(re.findall(r"^\| `([a-z0-9-]+)` \|", GUIDE.read_text(), re.MULTILINE))


def refusal(message: str) -> str:
    """Return why snmp_exporter refused a scrape, or nothing where we know of no reason."""
    return next((name for name, said in REFUSALS.items() if re.search(said, message)), "")


def unexplained(ours: Page, theirs: Page, module: Mapping[str, Any]) -> list[str]:
    """Return every difference that none on the list explains."""
    metrics = {metric["name"]: metric for metric in module.get("metrics", ())}
    found = [f"only ours: {series}" for series in ours.samples if series not in theirs.samples]
    for series, number in theirs.samples.items():
        if series not in ours.samples:
            if not left_out(series, number, metrics):
                found.append(f"only theirs: {series} {number}")
        elif not _same(ours.samples[series], number) and not MEASURED.fullmatch(series):
            found.append(f"{series}: ours {ours.samples[series]}, theirs {number}")
    both = ours.types.keys() & theirs.types.keys()
    headings = [(name, ours.types[name], ours.helps[name]) for name in both]
    return found + [
        f"{name}: ours {kind} {said!r}"
        for name, kind, said in headings
        if (kind, said) != (theirs.types[name], theirs.helps[name])
    ]


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN


def left_out(series: str, number: float, metrics: Mapping[str, Any]) -> bool:
    """Return whether a sample is one that we leave out on purpose."""
    name = name_of(series)
    metric = metrics.get(name) or metrics.get(name.removesuffix("_info"))
    if metric is None:
        return False
    if metric["type"] == "DateAndTime":
        return True
    if metric["type"] in NUMBERS:
        return bool(number == metric.get("offset", 0))
    return metric["type"] == "EnumAsInfo" and f'{metric["name"]}="0"' in series
