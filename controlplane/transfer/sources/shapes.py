"""Look at JSON and YAML of others, of which nothing is certain."""

from typing import Any

from controlplane.errors import Invalid, Problem

BITS = 64  # of a number that means anything; Python writes none of more than 4,300 digits


def objects(rows: Any, place: str) -> list[dict[str, Any]]:
    """Give a list of objects, or raise Invalid with where it is none."""
    if not isinstance(rows, list):
        raise Invalid(f"{place or 'the file'} is no list", Problem(place, "list_type", "no list"))
    wrong = [i for i, row in enumerate(rows) if not isinstance(row, dict)]
    if wrong:
        problems = [Problem(f"{place}/{i}", "dict_type", "no object") for i in wrong]
        raise Invalid("what should be objects is not", *problems)
    return rows


def text(value: Any) -> str:
    """Give a text or a number as a text, and of all else nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and value.bit_length() > BITS:
        return ""
    return str(value).strip()


def part(value: Any, *names: str) -> str:
    """Give the first of these fields of an object that says something; of a text the text."""
    if isinstance(value, dict):
        return next((found for name in names if (found := text(value.get(name)))), "")
    return text(value)
