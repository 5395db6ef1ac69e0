"""What the value of a custom field may be: JSON Schema 2020-12, of which a part is left out.

Whoever writes a schema must not make others wait: both schemas and values have few parts, and since
nothing is referred to, each part of one meets a part of the other once at most; patterns are RE2's,
whose time is linear in the text. Numbers are those on which all readers of JSON agree (RFC 8259,
section 6).
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import re2
from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators

from controlplane.errors import Problem, pointer
from controlplane.grammar import PRINTABLE_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMED = "$schema"  # names the dialect of a schema
LEFT_OUT = frozenset({"patternProperties", "unevaluatedItems", "unevaluatedProperties"})
DEEPEST = 8
LARGEST = 2**53  # the greatest number
MOST_BYTES = 8192
MOST_PARTS = 128  # of a value: members of objects and items of lists, however deep
MOST_SCHEMA_PARTS = 512
MOST_SCHEMAS = 64  # in a schema: its objects and truth values
MOST_PROBLEMS = 5  # that are told of a value
LONGEST = 300  # characters of a message, which repeats the value


def value(given: Any) -> Any:
    """Give JSON as it is, or raise ValueError where it is too large, too deep, or no plain text."""
    _bounded(given, MOST_PARTS)
    return given


def schema(given: dict[str, Any]) -> dict[str, Any]:
    """Give a schema as it is, or raise ValueError where it is none that can be used."""
    _bounded(given, MOST_SCHEMA_PARTS)
    if sum(isinstance(part, dict | bool) for _, part in _parts(given)) > MOST_SCHEMAS:
        raise ValueError(f"must not hold more than {MOST_SCHEMAS} schemas")
    if given.get(NAMED, DIALECT) != DIALECT:
        raise ValueError(f"must be of {DIALECT}")
    for name, held in _parts(_unnamed(given)):
        if (name.startswith("$") and name != "$comment") or name in LEFT_OUT:
            raise ValueError(f"must not use {name!r}")
        if name == "pattern" and isinstance(held, str):
            _compile(held)
    try:
        Draft202012Validator.check_schema(_unnamed(given))
    except SchemaError as error:
        raise ValueError(f"is no JSON Schema: {error.message[:LONGEST]}") from None
    if "default" in given and not fits(given, given["default"]):
        raise ValueError("must take its own default")
    return given


def fits(given: Mapping[str, Any], held: Any) -> bool:
    """Say whether a value is what the schema asks for."""
    return bool(_Validator(_unnamed(given)).is_valid(held))


def problems(given: Mapping[str, Any], held: Any, place: str) -> list[Problem]:
    """Say where a value is not what the schema asks for, of which the first are told."""
    errors = _Validator(_unnamed(given)).iter_errors(held)
    return [
        Problem(place + pointer(error.absolute_path), "schema", error.message[:LONGEST])
        for error in islice(errors, MOST_PROBLEMS)
    ]


def _unnamed(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema without its dialect, by whose name the library takes patterns of Python's."""
    return {name: held for name, held in given.items() if name != NAMED}


def _bounded(given: Any, parts: int) -> None:
    _walk(given, DEEPEST)
    if len(json.dumps(given).encode()) > MOST_BYTES:
        raise ValueError(f"must be at most {MOST_BYTES} bytes")
    if sum(1 for _ in _parts(given)) > parts:
        raise ValueError(f"must not hold more than {parts} members and items")


def _walk(given: Any, depth: int) -> None:
    if isinstance(given, str) and not re.fullmatch(PRINTABLE_PATTERN, given):
        raise ValueError("must not hold control characters")
    if isinstance(given, int | float) and not abs(given) <= LARGEST:  # NaN is not, either
        raise ValueError("must not hold numbers beyond 2^53")
    if isinstance(given, dict | list):
        if not depth:
            raise ValueError(f"must not be nested more than {DEEPEST} deep")
        parts = [*given, *given.values()] if isinstance(given, dict) else given
        for part in parts:
            _walk(part, depth - 1)


def _parts(given: Any) -> Iterator[tuple[str, Any]]:
    """Give the members of objects and the items of lists, which have no name, however deep."""
    if isinstance(given, dict | list):
        named = given.items() if isinstance(given, dict) else (("", item) for item in given)
        for name, part in named:
            yield name, part
            yield from _parts(part)


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # they go to whoever wrote the pattern
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise ValueError(f"must not hold the pattern {pattern!r}: it is none of RE2's") from None


def _match(_validator: Any, pattern: str, held: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(held, str) and not _compile(pattern).search(held):
        yield ValidationError(f"{held!r} does not match {pattern!r}")


_Validator = validators.extend(Draft202012Validator, {"pattern": _match})
