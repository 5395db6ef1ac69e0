"""The nouns of a rule file: recording rules, alerting rules, groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["critical", "warning", "info", "none"]
AlertClass = Literal["cause", "symptom", "stack"]


@dataclass(frozen=True)
class Record:
    """A recorded series: `name` is `level:metric:operations`."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Alert:
    """An alert; `hold` seconds before it fires, `keep` seconds after its condition ended."""

    name: str
    expr: str
    severity: Severity
    alertclass: AlertClass
    summary: str
    description: str
    hold: float = 0
    keep: float = 0
    board: str = "chm-device"  # the dashboard that shows what it is about
    flaps_within: float = 0  # seconds in which what changes too often mutes it; 0: nothing does
    labels: Mapping[str, str] = field(default_factory=dict)  # beside those of the contract
    of_inventory: bool = False  # whether its expression gives all labels of the inventory
    value: str = ""  # the template of what was measured (rules.units), where that says something
    threshold: str = ""  # the template of what it is beyond


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other every `interval` seconds.

    A rule that gives more than `limit` series gives none, and counts as failed; 0 is no limit.
    """

    name: str
    interval: float
    rules: tuple[Record | Alert, ...]
    limit: int = 0
