"""Values of custom fields: what devices and sites hold under the names of these."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from sqlalchemy import ColumnElement, Numeric, case, cast, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from controlplane import lookups
from controlplane.devices.catalogue import queries, shapes
from controlplane.devices.catalogue.models import AppliesTo, CustomField
from controlplane.devices.catalogue.schemas import CustomFieldCreate
from controlplane.errors import Problem
from controlplane.grammar import NAME_PATTERN, Name, Printable

FIELD = "custom_fields"
MOST_PROBLEMS = 1000  # of all that a request writes
LOOKUPS = ("", "n", "in", "ic", "sw", "ew", "gt", "gte", "lt", "lte", "isnull")
NUMBER = r"-?[0-9]{1,16}(\.[0-9]{1,16})?"


def split(asked: str) -> tuple[str, str, str]:
    """Give name, lookup and value of what is asked of a custom field."""
    subject, _, value = asked.partition("=")
    name, _, lookup = subject.partition("__")
    return name, lookup, value


def _readable(asked: str) -> str:
    name, lookup, value = split(asked)
    if "=" not in asked or not re.fullmatch(NAME_PATTERN, name) or lookup not in LOOKUPS:
        raise ValueError(f"must be `name=value` or `name__lookup=value`, of {', '.join(LOOKUPS)}")
    if lookup in lookups.BOUNDS and not re.fullmatch(NUMBER, value):
        raise ValueError("must be compared with a number")
    if lookup == "isnull" and value not in {"true", "false"}:
        raise ValueError("is true or false")
    return asked


def _value(given: Any) -> Any:
    if given is None:
        raise ValueError("must not be null; leave it out instead")
    return shapes.value(given)


Values = Annotated[dict[Name, Annotated[Any, AfterValidator(_value)]], Field(max_length=64)]
Asked = Annotated[
    list[Annotated[Printable, Field(max_length=1000), AfterValidator(_readable)]],
    Field(
        max_length=lookups.MOST,
        description="Custom fields: `rack=12`, or with a lookup as `height__gte=2`; repeatable.",
        examples=[["rack=12"], ["height__gte=2"]],
    ),
]
Definitions = Mapping[str, CustomField]


async def definitions(session: AsyncSession, of: AppliesTo) -> Definitions:
    """Give the custom fields there are, by name."""
    return {field.name: field for field in await session.scalars(queries.custom_fields(of))}


def after(known: Definitions, of: AppliesTo, rows: Iterable[CustomFieldCreate]) -> Definitions:
    """Give the custom fields as they are when rows of an import are written."""
    changed = dict(known)
    for row in rows:
        if row.applies_to is of:
            was = changed.get(row.name)
            kept = was.model_dump() if was else {}
            said = row.model_dump(exclude_unset=was is not None)
            changed[row.name] = CustomField(**{**kept, **said})
    return changed


def anything(name: str, of: AppliesTo) -> CustomField:
    """Give a field of which nothing but the name is known: every value is one of its."""
    return CustomField(name=name, applies_to=of, value_schema={})


async def complete(session: AsyncSession, of: AppliesTo, rows: Sequence[dict[str, Any]]) -> None:
    """Give each row of a new object the defaults of fields that it does not name."""
    known = await definitions(session, of) if rows else {}
    for row in rows:
        row[FIELD] = {**defaults(known), **row[FIELD]}


def defaults(known: Definitions) -> dict[str, Any]:
    """Give the values that a new object has of fields which it does not name."""
    fields = known.values()
    return {f.name: f.value_schema["default"] for f in fields if "default" in f.value_schema}


def conditions(table: type[Any], asked: Sequence[str]) -> list[ColumnElement[bool]]:
    """Give what is asked of custom fields: of texts as they are, of others as JSON writes them."""
    return [_condition(col(table.custom_fields), *split(one)) for one in asked]


def _condition(held: Any, name: str, lookup: str, value: str) -> ColumnElement[bool]:
    if lookup in lookups.BOUNDS:
        is_number = func.jsonb_typeof(held[name]) == "number"
        number = case((is_number, cast(held[name].astext, Numeric)), else_=None)
        return lookups.condition(number, lookup, Decimal(value))
    if lookup == "isnull":
        return lookups.condition(held[name].astext, lookup, value == "true")
    values = value.split(",") if lookup == "in" else [value]
    return lookups.condition(held[name].astext, lookup, values)


def problems(known: Definitions, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Problem]:
    """Say which values have no field, which do not fit theirs, and which are missing.

    Each row is a place and what an object there has. The first problems of all are told.
    """
    found = (problem for place, values in rows for problem in _unfit(known, values, place))
    return list(islice(found, MOST_PROBLEMS))


def _unfit(known: Definitions, values: Mapping[str, Any], place: str) -> Iterator[Problem]:
    for field in known.values():
        if field.required and field.name not in values:
            at = f"{place}/{FIELD}/{field.name}"
            yield Problem(at, "missing", f"{field.name!r} is required")
    for name, value in values.items():
        yield from _problems(known.get(name), name, value, f"{place}/{FIELD}/{name}")


def _problems(field: CustomField | None, name: str, value: Any, place: str) -> list[Problem]:
    if field is None:
        return [Problem(place, "unknown", f"there is no custom field {name!r} here")]
    return shapes.problems(field.value_schema, value, place)
