"""Regular expressions of configuration files, in the syntax of RE2, which is that of Go.

RE2 needs time in proportion to the text, whatever the pattern: no device can make it hang with what
it calls itself. Backreferences and look-around do not exist.
"""

from functools import lru_cache
from typing import Any, Protocol

import re2

PATTERNS = 4096  # that are kept compiled; all of snmp_exporter's own file has some hundred


class Match(Protocol):
    """Where a pattern fits."""

    def __getitem__(self, group: int | str, /) -> str | None:
        """Return what a group caught; IndexError where there is no such group."""


@lru_cache(PATTERNS)
def compiled(pattern: str) -> Any:
    """Return a pattern ready for use, or raise ValueError with what is wrong with it."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        (problem,) = error.args
        raise ValueError(problem.decode() if isinstance(problem, bytes) else problem) from None


def search(pattern: str, text: str) -> Match | None:
    """Return the first place where a pattern fits, None where there is none."""
    found: Match | None = compiled(pattern).search(_encodable(text))
    return found


def fullmatch(pattern: str, text: str) -> Match | None:
    """Return how a pattern fits the whole text, None where it does not."""
    found: Match | None = compiled(pattern).fullmatch(_encodable(text))
    return found


def without(pattern: str, text: str) -> str:
    """Return a text without everything that a pattern fits."""
    return str(compiled(pattern).sub("", _encodable(text)))


def _encodable(text: str) -> str:
    """Return a text without lone surrogates, which UTF-8 cannot carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
