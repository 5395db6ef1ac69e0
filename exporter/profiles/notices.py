"""What traps mean, as data: their names and words, and the alerts that some of them raise.

A varbind is known by its column: `ifDescr: 1.3.6.1.2.1.2.2.1.2` is the value of whatever instance
was sent, and `index` the instance. Texts are filled in with `$name`; `$index` and `$device` are
always there, in those of alerts also `$site`, `$role` and `$vendor`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, TypeAdapter

from exporter import config
from exporter.config import ConfigError, Document
from exporter.profiles.schema import STRICT, LabelName, Oid

Severity = Literal["critical", "warning", "info"]

ALWAYS = frozenset({"index", "device"})
OF_DEVICE = frozenset({"site", "role", "vendor"})


def _template(value: str) -> str:
    if not Template(value).is_valid():
        raise ValueError(f"{value!r} has a $ that begins no name; a plain one is written $$")
    return value


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_template)]
Values = Annotated[tuple[str, ...], BeforeValidator(_listed)]


@dataclass(frozen=True, slots=True)
class Milder:
    """The severity of an alert `without` a value: that one is empty."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    severity: Severity
    without: str


@dataclass(frozen=True, slots=True)
class Raised:
    """The alert of a trap.

    The device is asked for the columns in `ask` at the index of the trap, and there is an alert
    only where it answers one of what stands in `where`, and none of what stands in `unless`: a trap
    is a datagram that anybody may have sent. Without `ask` the trap is believed. `labels` are by
    the names of values. The value `lasting` says for how many seconds it has been so. The first of
    `interface` that is not empty names an interface about which operators may have decided. The
    column `changed` tells at which sysUpTime each instance became what it is: so others are found
    that became so with the one of the trap, and whose own traps got lost.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: LabelName
    severity: Severity
    summary: Text
    description: Text
    milder: Milder | None = None
    alertclass: Literal["cause", "symptom"] = "symptom"
    ask: dict[LabelName, Oid] = field(default_factory=dict)
    where: dict[str, Values] = field(default_factory=dict)
    unless: dict[str, Values] = field(default_factory=dict)
    labels: dict[LabelName, str] = field(default_factory=dict)
    lasting: str = ""
    changed: Oid | None = None
    interface: tuple[str, ...] = ()

    def fits(self, words: Mapping[str, str]) -> bool:
        """Return whether there is an alert where these are the values."""
        wanted = all(words[name] in values for name, values in self.where.items())
        return wanted and not any(words[name] in values for name, values in self.unless.items())


@dataclass(frozen=True, slots=True)
class Entry:
    """A trap in a file."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    oid: Oid
    text: Text
    severity: Severity = "info"
    values: dict[LabelName, Oid] = field(default_factory=dict)
    words: dict[str, dict[int, str]] = field(default_factory=dict)
    alert: Raised | None = None
    resolves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """A trap by its name; `resolves` are the names of traps whose alerts are over with it."""

    name: str
    entry: Entry

    @property
    def alert(self) -> Raised | None:
        """The alert that it raises, if any."""
        return self.entry.alert


_ENTRIES = TypeAdapter(dict[LabelName, Entry])


def read(document: Document) -> dict[str, Notice]:
    """Return the traps in a file by name, or raise ConfigError."""
    entries = config.validated(_ENTRIES, document.part("traps"), document.path, "traps")
    for name, entry in entries.items():
        for where, unknown in _unknown(entry):
            raise ConfigError(document.path, f"traps.{name}.{where}", f"no value {unknown!r}")
        alert = entry.alert
        if alert is not None and alert.changed and not (alert.ask and alert.where):
            problem = "needs `ask` and `where`: what else has changed is asked what it is"
            raise ConfigError(document.path, f"traps.{name}.alert.changed", problem)
    return {name: Notice(name, entry) for name, entry in entries.items()}


def by_oid(shipped: Mapping[str, Notice], own: Mapping[str, Notice]) -> dict[str, Notice]:
    """Return all traps by OID; one of the operator's replaces the product's of its name or OID."""
    kept = {name: notice for name, notice in shipped.items() if name not in own}
    found = {notice.entry.oid: notice for notice in (*kept.values(), *own.values())}
    names = {notice.name for notice in found.values()}
    for notice in found.values():
        for name in notice.entry.resolves:
            if name not in names:
                raise ConfigError("", f"traps.{notice.name}.resolves", f"there is no trap {name!r}")
    return found


def _unknown(entry: Entry) -> Iterator[tuple[str, str]]:
    known = ALWAYS | set(entry.values)
    yield from (("text", name) for name in _names(entry.text) - known)
    yield from (("words", name) for name in set(entry.words) - known)
    if (alert := entry.alert) is None:
        return
    known |= OF_DEVICE | set(alert.ask)
    asked: dict[str, set[str]] = {
        "where": set(alert.where),
        "unless": set(alert.unless),
        "labels": set(alert.labels.values()),
        "lasting": {alert.lasting} if alert.lasting else set(),
        "summary": _names(alert.summary),
        "description": _names(alert.description),
        "interface": set(alert.interface),
        "milder": {alert.milder.without} if alert.milder else set(),
    }
    for where, names in asked.items():
        yield from ((f"alert.{where}", name) for name in names - known)


def _names(text: str) -> set[str]:
    return set(Template(text).get_identifiers())
