"""Rows for every table of a database, made from what the database says of its tables."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Enum,
    MetaData,
    Table,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

SCHEMAS = (None, "queue")  # ours, and that of the job queue
ROWS = 5  # in each table; the last has nothing where nothing may be
START = datetime(2026, 1, 5, 8, tzinfo=UTC)

# The words of columns that models have no more.
FORMER = {
    ("thresholds", "severity"): ["warning", "critical"],
    ("device_thresholds", "metric"): ["temperature", "packet_loss", "jitter"],
    ("device_thresholds", "severity"): ["warning", "critical"],
}

BY_TRIGGER = {"interface_counts"}  # the database writes them with the rows of other tables

Row = dict[str, Any]
Content = dict[str, list[Row]]


def tables(connection: Connection) -> list[Table]:
    """Reflect every table, those that others refer to first; Alembic's own is left out."""
    metadata = MetaData()
    for schema in SCHEMAS:
        if schema is None or inspect(connection).has_schema(schema):
            metadata.reflect(connection, schema=schema)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def read(connection: Connection) -> Content:
    """Give all rows of all tables, by the name of the table."""
    with connection.begin():
        return {
            table.fullname: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in tables(connection)
        }


def fill(connection: Connection) -> None:
    """Put rows into every table that has none."""
    with connection.begin():
        # The functions of the job queue look for their tables there.
        connection.execute(text("SET LOCAL search_path TO public, queue"))
        made: dict[str, list[Row]] = {}
        for table in tables(connection):
            if table.name in BY_TRIGGER:
                continue
            there = [dict(row) for row in connection.execute(select(table)).mappings()]
            made[table.fullname] = there or _add(connection, table, made)


def differences(before: Content, after: Content) -> set[str]:
    """Name the tables whose number of rows is another, and `table.column` with other values.

    Of columns, those count that both have.
    """
    found = set()
    for name, rows in before.items():
        now = after.get(name, [])
        if len(rows) != len(now):
            found.add(name)
        elif rows:
            columns = rows[0].keys() & now[0].keys()
            found |= {f"{name}.{one}" for one in columns if _values(rows, one) != _values(now, one)}
    return found


def _values(rows: Iterable[Row], column: str) -> Counter[str]:
    return Counter(repr(row[column]) for row in rows)


def _add(connection: Connection, table: Table, made: dict[str, list[Row]]) -> list[Row]:
    words = _checked(table) | _modelled(table)
    added: list[Row] = []
    for number in range(ROWS):
        row = {
            column.name: _value(column, number, words.get(column.name, ()))
            for column in table.columns
            if not _made_by_database(column)
        }
        row |= _references(table, number, {**made, table.fullname: added})
        if number == ROWS - 1:
            row = {name: row[name] for name in row if not table.columns[name].nullable}
        result = connection.execute(insert(table).values(row).returning(table))
        added.append(dict(result.mappings().one()))
    return added


def _made_by_database(column: Column[Any]) -> bool:
    always = column.identity is not None and column.identity.always
    return always or column.computed is not None


def _references(table: Table, number: int, made: dict[str, list[Row]]) -> Row:
    """Let each foreign key point to a row that is there, in turn; the first of a tree has none."""
    found: Row = {}
    for constraint in table.foreign_key_constraints:
        others = made[constraint.referred_table.fullname]
        itself = constraint.referred_table is table
        other = others[-1 if itself else number % len(others)] if others else {}
        found |= {key.parent.name: other.get(key.column.name) for key in constraint.elements}
    return found


def _modelled(table: Table) -> dict[str, list[str]]:
    """Find the columns that the models know, or knew, to hold words of an enumeration."""
    model = SQLModel.metadata.tables.get(table.fullname)
    former = {column: words for (name, column), words in FORMER.items() if name == table.fullname}
    return former | {
        column.name: list(column.type.enums)
        for column in (model.columns if model is not None else ())
        if isinstance(column.type, Enum) and column.name in table.columns
    }


def _checked(table: Table) -> dict[str, list[str]]:
    """Find the columns that a check constraint holds to a list of words."""
    found = {}
    for check in table.constraints:
        said = str(check.sqltext) if isinstance(check, CheckConstraint) else ""
        listed = re.fullmatch(r"\(*\"?(\w+)\W.*?(?:= ANY|IN) \(+(.*)\)+", said)
        if listed is not None:
            quoted = re.findall(r"'((?:[^']|'')*)'", listed[2])
            found[listed[1]] = [word.replace("''", "'") for word in quoted]
    return found


def _value(column: Column[Any], number: int, words: Iterable[str] = ()) -> object:
    """Make a value of the column's type that no other row of the table has, where that can be."""
    kind = column.type
    choice = list(words) or (kind.enums if isinstance(kind, Enum) else [])
    if choice:
        return choice[number % len(choice)]
    if isinstance(kind, ARRAY):
        return [_value(Column(column.name, kind.item_type), number)]
    return _text_fits(column, MAKERS[kind.python_type](column.name, number))


def _text_fits(column: Column[Any], value: object) -> object:
    length = getattr(column.type, "length", None)
    return value[:length] if isinstance(value, str) else value


MAKERS: dict[type, Callable[[str, int], object]] = {
    str: lambda name, number: f"{number}-{name}",
    bytes: lambda name, number: json.dumps([number, name]).encode(),
    bool: lambda _name, number: number % 2 == 1,
    int: lambda _name, number: number + 1,
    float: lambda _name, number: number + 0.5,
    Decimal: lambda _name, number: Decimal(number) + Decimal("0.5"),
    UUID: lambda name, number: uuid5(NAMESPACE_OID, f"{name} {number}"),
    dict: lambda name, number: {name: number},
    datetime: lambda _name, number: START + timedelta(hours=number),
    date: lambda _name, number: (START + timedelta(days=number)).date(),
    timedelta: lambda _name, number: timedelta(minutes=number + 1),
}
