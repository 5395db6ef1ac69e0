"""The formats of transfer: JSON and YAML have the whole document, CSV one kind of rows alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

import yaml

from controlplane.errors import Invalid
from controlplane.transfer import tables
from controlplane.transfer.tables import Kind, Row


class Format(StrEnum):
    """How a document is written."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


MEDIA_TYPES: Mapping[Format, str] = MappingProxyType(
    {Format.JSON: "application/json", Format.YAML: "application/yaml", Format.CSV: "text/csv"}
)

DEPTH = 100  # of lists and objects in YAML, whose parser recurses in C


class Writer(Protocol):
    """Writes a document piece by piece, so that no more than a piece is held."""

    def rows(self, noun: str, rows: Sequence[Row]) -> str:
        """Give the text of some rows of a list; those of one list come one after the other."""

    def end(self) -> str:
        """Give what ends the document."""


def writer(form: Format, kind: Kind = Kind.DEVICES, custom: Sequence[str] = ()) -> Writer:
    """Make the writer of a format; as a table, of this kind with these custom fields."""
    if form is Format.CSV:
        return _Csv(kind, custom)
    return _Yaml() if form is Format.YAML else _Json()


def write(form: Format, document: Mapping[str, Any], kind: Kind = Kind.DEVICES) -> str:
    """Write a document; as a table, the rows of this kind."""
    if form is Format.CSV:
        return tables.write(document[kind], kind)
    made = writer(form)
    return "".join([*(made.rows(noun, rows) for noun, rows in document.items()), made.end()])


@dataclass
class _Json:
    _noun: str = ""
    _some: bool = False  # rows of this list

    def rows(self, noun: str, rows: Sequence[Row]) -> str:
        begun = "" if noun == self._noun else f"{self._next()}\n  {json.dumps(noun)}: ["
        self._some = self._some and noun == self._noun
        self._noun = noun
        written = ",".join(f"\n    {_indented(row)}" for row in rows)
        comma = "," if self._some and rows else ""
        self._some = self._some or bool(rows)
        return begun + comma + written

    def end(self) -> str:
        return f"{self._closed()}\n}}\n" if self._noun else "{}\n"

    def _next(self) -> str:
        return f"{self._closed()}," if self._noun else "{"

    def _closed(self) -> str:
        return "\n  ]" if self._some else "]"


def _indented(row: Row) -> str:
    return json.dumps(row, indent=2, ensure_ascii=False).replace("\n", "\n    ")


@dataclass
class _Yaml:
    _noun: str = ""
    _some: bool = False

    def rows(self, noun: str, rows: Sequence[Row]) -> str:
        begun = "" if noun == self._noun else f"{self._closed()}{noun}:"
        self._some = self._some and noun == self._noun
        self._noun = noun
        if not rows:
            return begun
        line = "" if self._some else "\n"
        self._some = True
        written = yaml.dump(
            list(rows), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True
        )
        return f"{begun}{line}{written}"

    def end(self) -> str:
        return self._closed() if self._noun else "{}\n"

    def _closed(self) -> str:
        return " []\n" if self._noun and not self._some else ""


@dataclass
class _Csv:
    _kind: Kind
    _custom: Sequence[str]
    _begun: bool = False

    def rows(self, noun: str, rows: Sequence[Row]) -> str:
        if noun != self._kind:
            return ""
        return self._header() + tables.lines(rows, self._kind, self._custom)

    def end(self) -> str:
        return self._header()

    def _header(self) -> str:
        begun, self._begun = self._begun, True
        return "" if begun else tables.header(self._kind, self._custom)


def decode(content: bytes) -> str:
    """Give the text of a file, or raise Invalid where it is none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("this is not UTF-8") from None


def read(form: Format, text: str, kind: Kind = Kind.DEVICES) -> dict[str, Any]:
    """Read a document, or raise Invalid where it is none; what is in it is not looked at yet."""
    if form is Format.CSV:
        return {kind.value: tables.read(text, kind)}
    document = parse(form, text)
    if not isinstance(document, dict):
        raise Invalid("a document has lists of what it holds, such as devices")
    return document


def parse(form: Format, text: str) -> Any:
    """Read JSON or YAML, or raise Invalid where it is none, or nested beyond all reason."""
    try:
        return json.loads(text) if form is Format.JSON else _yaml(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise Invalid(f"this is no {form.upper()}") from None


def _yaml(text: str) -> Any:
    # An alias can make much of little ("billion laughs"), and no export has one.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise Invalid("a document has no aliases")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise Invalid(f"a document is not nested more than {DEPTH} deep")
    return yaml.load(text, Loader=yaml.CSafeLoader)
