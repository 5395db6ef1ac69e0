"""The alerts that are shipped, as the rule families have them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import rules
from rules.rule import Alert


@dataclass(frozen=True)
class Shipped:
    """An alert by its name; the rules of one name differ in severity, and in what they look at."""

    name: str
    severities: tuple[str, ...]
    alertclass: str
    summary: str
    description: str
    hold: float  # seconds before it fires
    keep: float  # seconds after its condition ended


def by_name(intent: rules.Intent) -> Mapping[str, Shipped]:
    """Give the alerts that these settings lead to, by name."""
    found: dict[str, list[Alert]] = {}
    for alert in rules.alerts(intent):
        found.setdefault(alert.name, []).append(alert)
    return {name: _shipped(alerts) for name, alerts in sorted(found.items())}


def _shipped(alerts: Iterable[Alert]) -> Shipped:
    first, *others = alerts
    return Shipped(
        first.name,
        (first.severity, *(other.severity for other in others)),
        first.alertclass,
        first.summary,
        first.description,
        first.hold,
        first.keep,
    )
