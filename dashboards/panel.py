"""What a board is made of, as values: queries, panels, sections, boards.

The PromQL of a panel names its devices through three placeholders, so that one panel serves
every board: `$probe` (series that devices answered with), `$intent` (series of the control
plane's intent) and `$where` (series of neither job, such as ALERTS). The scope of the board
fills them; everything else that starts with a dollar sign is Grafana's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """One PromQL expression; `instant` asks for the newest value only, as a table where set."""

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False


@dataclass(frozen=True)
class Panel:
    """One picture; `empty` says why it may rightly show nothing, and Grafana shows that text."""

    kind: str
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 12
    height: int = 8
    defaults: Json = field(default_factory=dict)
    overrides: tuple[Json, ...] = ()
    options: Json = field(default_factory=dict)
    transformations: tuple[Json, ...] = ()
    empty: str = ""


@dataclass(frozen=True)
class Section:
    """Panels under one heading, in reading order; no heading for what must be seen first."""

    panels: tuple[Panel, ...]
    title: str = ""


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a board: the values of `label` among `series`."""

    name: str
    title: str
    series: str
    label: str
    many: bool = True


@dataclass(frozen=True)
class Link:
    """A button at the top of a board that leads to another one."""

    title: str
    url: str


@dataclass(frozen=True)
class Board:
    """A dashboard: `scope` is the label matcher that narrows every query to what is chosen."""

    uid: str
    title: str
    description: str
    scope: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    links: tuple[Link, ...] = ()


def scoped(expr: str, scope: str) -> str:
    """Fill the placeholders of an expression with the label matchers of a board."""
    return (
        expr.replace("$probe", f'job="chm-devices", {scope}')
        .replace("$intent", f'job="chm-intent", {scope}')
        .replace("$where", scope)
    )
