"""Devices, or interfaces, as CSV (RFC 4180).

What a spreadsheet would take for a formula is marked as text.
A cell that begins with one of `=`, `+`, `-`, `@`, a tab, a return or an apostrophe gets an
apostrophe in front (OWASP, CSV injection), which is taken away when the table is read.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from controlplane.devices.custom import FIELD
from controlplane.devices.interfaces.schemas import EXPORTED
from controlplane.devices.schemas import DeviceCreate
from controlplane.errors import Invalid, Problem
from controlplane.grammar import NAME_PATTERN


class Kind(StrEnum):
    """What the rows of a table are."""

    DEVICES = "devices"
    INTERFACES = "interfaces"


COLUMNS = tuple(
    field
    for field in dict.fromkeys(("name", "address", *DeviceCreate.model_fields))  # the names first
    if field != FIELD
)
COLUMNS_OF: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {Kind.DEVICES: COLUMNS, Kind.INTERFACES: EXPORTED}
)
CUSTOM = "cf."  # begins the column of a custom field, whose cells are texts or else JSON
LISTS = frozenset({"modules", "tags", "contacts", "credentials", "parents"})
NULLABLE = frozenset({"site", "role", "device_type", "platform", "poll_class", "tenant", "profile"})
UNSAID = frozenset({"port", "status", "importance", "monitored"})  # where the cell is empty
MARK = "'"
Row = Mapping[str, Any]
FORMULA = ("=", "+", "-", "@", "\t", "\r", MARK)


def write(rows: Sequence[Row], kind: Kind = Kind.DEVICES) -> str:
    """Write rows as a table; the items of a list are separated by spaces."""
    custom = sorted({name for row in rows for name in row.get(FIELD, ())})
    return header(kind, custom) + lines(rows, kind, custom)


def header(kind: Kind, custom: Sequence[str]) -> str:
    """Write the line of column names; `custom` are the custom fields to be shown."""
    return _written([[*COLUMNS_OF[kind], *(CUSTOM + name for name in custom)]])


def lines(rows: Iterable[Row], kind: Kind, custom: Sequence[str]) -> str:
    """Write rows under these columns."""
    return _written(
        [
            *(_cell(row[name]) for name in COLUMNS_OF[kind]),
            *(_cell(_json(row.get(FIELD, {}).get(name))) for name in custom),
        ]
        for row in rows
    )


def _written(cells: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(cells)
    return text.getvalue()


def read(text: str, kind: Kind = Kind.DEVICES) -> list[dict[str, Any]]:
    """Read rows of a table, or raise Invalid where a column is unknown or a row has no shape."""
    try:
        lines = list(_lines(text))
    except csv.Error as error:
        raise Invalid(f"this is no CSV: {error}") from None
    if not lines:
        raise Invalid("there is no line with the names of the columns")
    header = lines[0]
    problems = [p.under(f"/{kind}") for p in (*_columns(header, kind), *_shapes(header, lines))]
    if problems:
        raise Invalid(f"this table does not have the columns of {kind}", *problems)
    return [_row(header, line) for line in lines[1:] if line]


def custom(text: str) -> frozenset[str]:
    """Give the custom fields that a readable table has a column for."""
    header = next(_lines(text))
    return frozenset(name.removeprefix(CUSTOM) for name in header if name.startswith(CUSTOM))


def _lines(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)


def _row(header: Sequence[str], line: Sequence[str]) -> dict[str, Any]:
    cells = dict(zip(header, line, strict=True))
    named = {name: cell for name, cell in cells.items() if not name.startswith(CUSTOM)}
    row = {name: value for name, cell in named.items() for value in _value(name, cell)}
    if len(named) < len(cells):
        row[FIELD] = {
            name.removeprefix(CUSTOM): _parsed(_plain(cell))
            for name, cell in cells.items()
            if name not in named and cell
        }
    return row


def _json(value: Any) -> str:
    """Write a value so that `_parsed` gives it again: a text as it is, where it can be."""
    if value is None:
        return ""
    plain = isinstance(value, str) and value and _parsed(value) == value
    return value if plain else json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _columns(header: Sequence[str], kind: Kind) -> list[Problem]:
    unknown = [
        Problem("", "unknown_column", f"there is no column {name!r}")
        for name in dict.fromkeys(header)
        if name not in COLUMNS_OF[kind] and not (kind is Kind.DEVICES and _is_custom(name))
    ]
    twice = [
        Problem("", "twice", f"the column {name!r} is there twice")
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]
    return unknown + twice


def _is_custom(name: str) -> bool:
    return re.fullmatch(re.escape(CUSTOM) + NAME_PATTERN, name) is not None


def _shapes(header: Sequence[str], lines: Sequence[Sequence[str]]) -> list[Problem]:
    rows = [line for line in lines[1:] if line]
    return [
        Problem(f"/{index}", "shape", f"{len(row)} cells under {len(header)} columns")
        for index, row in enumerate(rows)
        if len(row) != len(header)
    ]


def _cell(value: Any) -> str:
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"{MARK}{text}" if text.startswith(FORMULA) else text


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == MARK and cell[1:].startswith(FORMULA) else cell


def _value(name: str, cell: str) -> list[Any]:
    """Give what a cell says, or nothing: an empty port is one that is left out."""
    text = _plain(cell)
    if name in LISTS:
        return [text.split()]
    if text:
        return [text]
    return [None] if name in NULLABLE else [] if name in UNSAID else [""]
