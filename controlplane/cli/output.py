"""What commands print: tables for people, JSON for programs."""

import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from controlplane import grammar

UNPRINTABLE = re.compile(f"[{grammar.UNPRINTABLE}]")  # what a terminal would obey
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as when piped.")]


def rows(
    items: Sequence[BaseModel],
    columns: Sequence[str],
    *,
    as_json: bool,
    colours: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> None:
    """Print a list: `columns` of it on a terminal, else all of it, or `only` some, as JSON.

    `colours` are those of rows by their `outcome`; under the empty one, of all others.
    """
    if as_json or not sys.stdout.isatty():
        kept = set(only) if only is not None else None
        _json([item.model_dump(mode="json", include=kept) for item in items])
        return
    table = Table(*columns)
    for item in items:
        fields = item.model_dump(mode="json")
        cells = (Text(_cell(fields[name])) for name in columns)
        style = (colours or {}).get(fields.get("outcome", ""), (colours or {}).get("", ""))
        table.add_row(*cells, style=style)
    Console().print(table)


def item(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one object, a field a line on a terminal, else as JSON."""
    if as_json or not sys.stdout.isatty():
        _json(fields)
        return
    table = Table(show_header=False)
    for name, value in _flat(fields):
        table.add_row(name, Text(_cell(value)))
    Console().print(table)


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield fields and the fields of objects in them, named `object.field`."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return " ".join(map(_cell, value.values()))
    if isinstance(value, list):
        lines = any(isinstance(entry, Mapping) for entry in value)
        return ("\n" if lines else ", ").join(map(_cell, value))
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
