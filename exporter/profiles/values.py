"""What a value or an index of SNMP means as text or number (RFC 2578, 2579, 4001)."""

import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import cast

from exporter.profiles import hints

Value = int | float | str | bytes | None
"""What a device answered; an OID and an IpAddress are dotted text."""

Arcs = Sequence[int]

WRAP = 2**53
"""Counter64 is taken modulo this, so that a double holds it exactly and rates stay right."""

MAC_OCTETS = 6
MAC_TEXT = 17  # characters of one, with colons
OID_ARCS = 128  # at most (RFC 2578, 3.5); no index is longer

NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
NTP_OCTETS = 8
DATE_OCTETS, DATE_AND_ZONE_OCTETS = 8, 11

# How net-snmp wraps a float or double in an Opaque: its head and length, and how it is packed.
OPAQUE = {(b"\x9f\x78\x04", 4): ">f", (b"\x9f\x79\x08", 8): ">d"}

# What strptime(3) of C knows and Python's does not.
_DIRECTIVES = {
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "T": "%H:%M:%S",
    "e": "%d",
    "h": "%b",
    "k": "%H",
    "l": "%I",
    "n": "\n",
    "t": "\t",
    "%": "%%",
}
_PLAIN = re.ASCII | re.IGNORECASE
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan", _PLAIN)
_HEXADECIMAL = re.compile(r"[+-]?0x([0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?\d+", _PLAIN)

# The type of these is told by a number: the first arc of an index, or the column before a value.
ADDRESS_TYPES = {1: "InetAddressIPv4", 2: "InetAddressIPv6"}
COMBINED: dict[str, dict[int, str]] = {
    "InetAddress": ADDRESS_TYPES,
    "InetAddressMissingSize": ADDRESS_TYPES,
    "LldpPortId": {
        1: "DisplayString",
        2: "DisplayString",
        3: "PhysAddress48",
        5: "DisplayString",
        7: "DisplayString",
    },
}


def arcs(oid: str) -> tuple[int, ...]:
    """Return the numbers of a dotted OID or of a part of one."""
    return tuple(map(int, oid.split("."))) if oid else ()


def number(value: Value, wrap: int = WRAP) -> int | float | None:
    """Return the number an SNMP value is, modulo `wrap` unless 0, or None where it is not one."""
    if isinstance(value, int):
        return value % wrap if 0 < wrap <= value else value
    if isinstance(value, bytes):
        head, content = value[:3], value[3:]
        if (head, len(content)) in OPAQUE:
            (real,) = struct.unpack(OPAQUE[head, len(content)], content)
            return float(real)
        return None
    return value if isinstance(value, float) else None


def text(value: Value, kind: str, hint: str = "") -> str:
    """Return a value as a label shows it, given the type and DISPLAY-HINT of its object."""
    if not isinstance(value, bytes):
        return "" if value is None else str(value)
    if hint and (hinted := hints.shown(value, hint)) is not None:
        return utf8(hinted)
    if kind == "DisplayString":
        return utf8(value)
    if kind == "PhysAddress48" and len(value) == MAC_OCTETS:
        return value.hex(":").upper()
    if kind in _FIXED or kind in COMBINED:
        return utf8(index(tuple(value), kind)[0])
    return "0x" + value.hex().upper() if value else ""


def texts(found: Sequence[Value], kind: str, hint: str = "") -> list[str]:
    """Return the texts of a column, which are cheaper together where all are of one kind."""
    kinds = set(map(type, found))
    if kinds == {str}:
        return cast("list[str]", list(found))
    if kinds == {bytes} and kind == "PhysAddress48" and not hint:
        addresses = cast("Sequence[bytes]", found)
        if set(map(len, addresses)) == {MAC_OCTETS}:
            whole = b"".join(addresses).hex(":").upper()
            return [whole[at : at + MAC_TEXT] for at in range(0, len(whole), MAC_TEXT + 1)]
    return [text(value, kind, hint) for value in found]


def utf8(raw: bytes | str) -> str:
    """Return text in which every run of bytes that are no UTF-8 is one U+FFFD."""
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return re.sub("[\udc80-\udcff]+", "\ufffd", raw.decode("utf-8", "surrogateescape"))


def index(
    parts: Arcs,
    kind: str,
    size: int = 0,
    implied: bool = False,  # noqa: FBT001, FBT002 - the schema's own word
    names: Mapping[int, str] | None = None,
) -> tuple[str, Arcs, Arcs]:
    """Return the text of the first index in `parts`, the arcs it took, and those left over."""
    if kind in COMBINED:
        return _combined(parts, kind, names)
    if kind in {"OctetString", "DisplayString"}:
        return _string(parts, kind, size, implied)
    width, write = _FIXED[kind]
    used, rest = _split(parts, width)
    if kind == "EnumAsInfo" and names and used[0] in names:
        return names[used[0]], used, rest
    return write(used), used, rest


def _split(parts: Arcs, count: int) -> tuple[Arcs, Arcs]:
    # Some agents leave out trailing zeros of an index.
    head = tuple(parts[:count])
    return head + (0,) * (count - len(head)), parts[count:]


def _combined(parts: Arcs, kind: str, names: Mapping[int, str] | None) -> tuple[str, Arcs, Arcs]:
    sized = kind != "InetAddressMissingSize"
    head, rest = _split(parts, 2 if sized else 1)
    if (real := COMBINED[kind].get(head[0])) is not None:
        shown, used, left = index(rest, real, names=names)
        return shown, (*head, *used), left
    if not sized:
        return index(parts, "OctetString", implied=True)
    size = head[1] + 2
    return index(parts, "OctetString", size=size if size <= OID_ARCS else min(size, len(parts)))


def _string(parts: Arcs, kind: str, size: int, implied: bool) -> tuple[str, Arcs, Arcs]:  # noqa: FBT001
    length: Arcs = ()
    if implied:
        size = len(parts)
    if not size:
        length, parts = _split(parts, 1)
        # A length beyond any index is a lie; padding to it would let an agent fill the memory.
        size = length[0] if length[0] <= OID_ARCS else min(length[0], len(parts))
    content, rest = _split(parts, size)
    raw = bytes(arc & 0xFF for arc in content)
    return text(raw, kind), (*length, *content), rest


def _decimal(parts: Arcs) -> str:
    return ".".join(map(str, parts))


def _mac(parts: Arcs) -> str:
    return ":".join(f"{part:02X}" for part in parts)


def _ipv6(parts: Arcs) -> str:
    return ":".join(f"{a:02X}{b:02X}" for a, b in zip(parts[::2], parts[1::2], strict=True))


_FIXED: dict[str, tuple[int, Callable[[Arcs], str]]] = {
    "gauge": (1, _decimal),
    "counter": (1, _decimal),
    "Integer": (1, _decimal),
    "Integer32": (1, _decimal),
    "EnumAsInfo": (1, _decimal),
    "PhysAddress48": (6, _mac),
    "InetAddressIPv4": (4, _decimal),
    "InetAddressIPv6": (16, _ipv6),
}


def spelled(text: str) -> float | None:
    """Return the number that a text spells, in the grammar of Go's ParseFloat; None else."""
    # Go lets an underscore stand between two digits, and behind 0x.
    plain = re.sub(r"(?<=[0-9a-f])_(?=[0-9a-f])|(?<=0x)_(?=[0-9a-f])", "", text, flags=_PLAIN)
    if _DECIMAL.fullmatch(plain):
        number = float(plain)
    elif _HEXADECIMAL.fullmatch(plain):
        number = float.fromhex(plain)
    else:
        return None
    overflown = math.isinf(number) and "inf" not in text.lower()
    return None if overflown else number


def date_and_time(value: Value) -> float | None:
    """Return the Unix time of a DateAndTime of 8 or 11 octets; without a zone it is UTC."""
    if not isinstance(value, bytes) or len(value) not in {DATE_OCTETS, DATE_AND_ZONE_OCTETS}:
        return None
    year, month, day, hour, minute, second, _ = struct.unpack(">HBBBBBB", value[:DATE_OCTETS])
    zone: timezone = UTC
    try:
        if len(value) == DATE_AND_ZONE_OCTETS:
            if value[8:9] not in {b"+", b"-"}:
                return None
            offset = timedelta(hours=value[9], minutes=value[10])
            zone = timezone(-offset if value[8:9] == b"-" else offset)
        # 60 is a leap second, which datetime does not know.
        moment = datetime(year, month, day, hour, minute, 0, tzinfo=zone)
    except ValueError:
        return None
    return moment.timestamp() + float(second)


def parsed_date(value: Value, pattern: str) -> float | None:
    """Return the Unix time of a date written in strptime's `pattern`; without a zone it is UTC.

    The directives of C that Python lacks are understood, too.
    """
    known = re.sub(r"%([DFRTehklnt%])", lambda match: _DIRECTIVES[match[1]], pattern)
    try:
        moment = datetime.strptime(text(value, "DisplayString"), known)  # noqa: DTZ007 - set below
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return float(math.floor(moment.timestamp()))


def ntp_time(value: Value) -> float | None:
    """Return the Unix time of an NTP timestamp of 8 octets (RFC 5905), in whole seconds."""
    if not isinstance(value, bytes) or len(value) != NTP_OCTETS:
        return None
    (whole,) = struct.unpack(">I", value[:4])
    return float(whole - NTP_EPOCH)
