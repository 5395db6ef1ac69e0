r"""The grammar of names and texts: what may stand in a label, a file, a rule, and nothing else.

A name that passes here cannot close a quote, open a template, or start a line. Everything is
matched in full: Python's `$` would let a trailing newline pass.
"""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, SecretStr, WithJsonSchema

NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,62}"
LABEL_PATTERN = r"[A-Za-z0-9](?:[A-Za-z0-9 ._/&+-]{0,62}[A-Za-z0-9.+])?"
WORD_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
# No control characters of ASCII or Latin-1, which terminals obey; no separators of lines and no
# overrides of direction, by which a text looks like another; no half of a surrogate pair.
UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
PRINTABLE_PATTERN = rf"[^{UNPRINTABLE}]*"


def matching(pattern: str, grammar: str) -> Any:
    """Make the validator of a text that matches all of `pattern`; `grammar` says it in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {grammar}")
        return text

    return AfterValidator(check)


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


def _printable(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(PRINTABLE_PATTERN, secret.get_secret_value()):
        raise ValueError("must not hold control characters")
    return secret


def _unicode(secret: SecretStr) -> SecretStr:
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode: it holds half of a surrogate pair") from None
    return secret


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be a time zone such as Europe/Berlin")
    return name


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999") from None


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("must not be null; leave it out to keep it")
    return value


Name = Annotated[
    str,
    matching(
        NAME_PATTERN,
        "1 to 63 lower-case letters, digits, `-`, `.` and `_`, beginning with a letter or digit",
    ),
    _schema(NAME_PATTERN),
]
Label = Annotated[
    str,
    matching(
        f"(?:{LABEL_PATTERN})?",
        "at most 64 letters, digits, spaces and `. _ / & + -`, beginning with a letter or digit",
    ),
    _schema(f"(?:{LABEL_PATTERN})?"),
]
Word = Annotated[
    str,
    matching(WORD_PATTERN, "1 to 63 letters, digits, `_`, `.` and `-`"),
    _schema(WORD_PATTERN),
]
Printable = Annotated[str, matching(PRINTABLE_PATTERN, "free of control characters")]
PrintableSecret = Annotated[SecretStr, AfterValidator(_printable)]
UnicodeSecret = Annotated[SecretStr, AfterValidator(_unicode)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
NOT_NULL = BeforeValidator(_not_null)
