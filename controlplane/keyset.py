"""Where a page of a list ends, as an opaque text: the next one begins after it, however far it is.

A cursor holds the order of the list and the values that its last row has there, so it costs the
same on every page, and rows that come and go meanwhile neither repeat nor hide others.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, NaiveDatetime, TypeAdapter, ValidationError
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    String,
    Uuid,
    and_,
    false,
    or_,
)
from sqlalchemy.types import TypeEngine
from sqlmodel.sql.sqltypes import AutoString

from controlplane.database import UtcDateTime
from controlplane.errors import Invalid, Problem
from controlplane.grammar import Moment, Printable

READ_AS: Mapping[type[TypeEngine[Any]], TypeAdapter[Any]] = MappingProxyType(
    {
        UtcDateTime: TypeAdapter(Moment),
        DateTime: TypeAdapter(NaiveDatetime),
        BigInteger: TypeAdapter(Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]),
        Integer: TypeAdapter(Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]),
        Uuid: TypeAdapter(UUID),
        AutoString: TypeAdapter(Printable),
        String: TypeAdapter(Printable),
    }
)


@dataclass(frozen=True)
class Key:
    """A column that a list is ordered by: its name on the wire, and which way."""

    name: str
    column: Any
    descending: bool = False

    def __str__(self) -> str:
        """Give the name as `ordering` has it."""
        return f"-{self.name}" if self.descending else self.name

    @property
    def clause(self) -> Any:
        """Give the key as ORDER BY has it."""
        return self.column.desc() if self.descending else self.column


def write(keys: Sequence[Key], values: Sequence[Any]) -> str:
    """Give the cursor after a row that has these values in the columns of the keys."""
    content = [[str(key) for key in keys], [_plain(value) for value in values]]
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def read(keys: Sequence[Key], cursor: str) -> list[Any]:
    """Give the values of a cursor; Invalid where it is none, or one of another order."""
    try:
        order, values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if order != [str(key) for key in keys]:
            raise _refusal("the cursor belongs to a list in another order")
        return [_value(key, value) for key, value in zip(keys, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, RecursionError, ValidationError):
        raise _refusal("this is no cursor that `next` has given") from None


def after(keys: Sequence[Key], values: Sequence[Any]) -> ColumnElement[bool]:
    """Give the condition on rows that stand behind the one of these values.

    As PostgreSQL orders them, a null is greater than any value.
    """
    (key, *further), (value, *rest) = keys, values
    beyond = _beyond(key, value)
    if not further:
        return beyond
    same = key.column.is_(None) if value is None else key.column == value
    # The bound on the first column says nothing new, but an index can begin there.
    return and_(or_(beyond, same), or_(beyond, and_(same, after(further, rest))))


def _beyond(key: Key, value: Any) -> ColumnElement[bool]:
    column = key.column
    if value is None:
        return column.is_not(None) if key.descending else false()
    if key.descending:
        return column < value  # type: ignore[no-any-return]
    return or_(column > value, column.is_(None))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _value(key: Key, value: Any) -> Any:
    """Read a value as the column has it, for anybody may have written the cursor."""
    if value is None:
        return None
    kind = type(key.column.type)
    for parent, reader in READ_AS.items():
        if issubclass(kind, parent):
            return reader.validate_python(value)
    raise LookupError(f"no list can be ordered by a column of {kind}")


def _refusal(detail: str) -> Invalid:
    return Invalid(detail, Problem("/query/cursor", "cursor", detail))
