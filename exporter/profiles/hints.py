"""DISPLAY-HINT of octet strings (RFC 2579, 3.1): `1x:` for a MAC address, `2d-1d-1d` for a date."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

LONGEST = 65_535  # octets that one part may take: no value is longer
WIDEST = 8  # octets of a number in decimal or octal
_PART = re.compile(r"(\*?)(\d{1,9})([xdoat])(?:([^\d*])([^\d*])?)?")


class Format(NamedTuple):
    """One part of a hint."""

    repeated: bool  # an octet of the value tells how often
    octets: int
    kind: str
    separator: str
    terminator: str


def shown(value: bytes, hint: str) -> bytes | None:
    """Return a value as its hint wants it; None where the hint or the value does not allow that."""
    parts = formats(hint)
    if not parts or not value:
        return None
    try:
        pieces = list(_pieces(value, parts))
    except ValueError:
        return None
    # What separates stands between two pieces, never at the end.
    return b"".join(text + after for text, after in pieces[:-1]) + pieces[-1][0] if pieces else b""


@lru_cache(maxsize=1024)
def formats(hint: str) -> tuple[Format, ...]:
    """Return the parts of a hint; none where it is not one."""
    parts, at = [], 0
    while at < len(hint):
        if (match := _PART.match(hint, at)) is None:
            return ()
        star, octets, kind, separator, terminator = match.groups()
        if terminator and not star:
            # Only a repeated part has a terminator.
            return ()
        parts.append(Format(bool(star), int(octets), kind, separator or "", terminator or ""))
        at = match.end()
    # The last part is used again and again, so it must take something.
    return tuple(parts) if parts and 0 < parts[-1].octets <= LONGEST else ()


def _pieces(value: bytes, parts: tuple[Format, ...]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each piece of text, and what separates it from the next."""
    at, number = 0, 0
    while at < len(value):
        part = parts[min(number, len(parts) - 1)]
        times = 1
        if part.repeated:
            times, at = value[at], at + 1
        for turn in range(times, 0, -1):
            if at >= len(value) and part.octets:
                break
            piece, at = value[at : at + part.octets], at + part.octets
            last = turn == 1 and part.terminator
            yield _written(piece, part.kind), (part.terminator if last else part.separator).encode()
        number += 1


def _written(piece: bytes, kind: str) -> bytes:
    if kind in "at" or not piece:
        return piece
    if kind == "x":
        return piece.hex().upper().encode()
    if len(piece.lstrip(b"\0")) > WIDEST:
        raise ValueError("a number of more than 64 bits")
    number = int.from_bytes(piece, "big")
    return (b"%d" if kind == "d" else b"%o") % number
