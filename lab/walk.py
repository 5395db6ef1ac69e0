"""What net-snmp's snmpbulkwalk printed with `-Onxe`, as a recording that the lab can play."""

import re
import struct
from collections.abc import Callable, Iterator

from lab.errors import BadRecording

_LINE = re.compile(r"\.(\d+(?:\.\d+)+) = (?:([A-Za-z-]+\d*): ?)?(.*)")
_MORE = re.compile(r"(?:[0-9A-F]{2} ?)+")  # how the digits of a long text go on
_NOTHING = ("No Such ", "No more variables ")
_FLOAT = {"Float": ("9f7804", ">f"), "Double": ("9f7908", ">d")}  # as net-snmp wraps them


def recording(text: str) -> Iterator[str]:
    """Yield the lines of a `.snmprec` file; raise BadRecording for a line that makes no sense."""
    number, lines = 0, text.splitlines()
    while number < len(lines):
        line, at = lines[number].rstrip(), number + 1
        number += 1
        while number < len(lines) and _MORE.fullmatch(lines[number]):
            line += " " + lines[number].strip()
            number += 1
        if line:
            yield from _object(line, at)


def _object(line: str, number: int) -> Iterator[str]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise BadRecording(f"line {number} is not a line of snmpbulkwalk -Onxe")
    oid, kind, value = match.groups()
    if value.startswith(_NOTHING):
        return
    if kind is None:
        kind = "Hex-STRING" if value == '""' else "Timeticks"
        value = value.strip('"')
    if kind == "STRING":
        raise BadRecording(f"line {number} holds text: let snmpbulkwalk write it as digits, by -Ox")
    try:
        yield f"{oid}|{_WRITERS[kind](value)}"
    except (KeyError, ValueError):
        raise BadRecording(f"line {number} holds no {kind} that the lab knows") from None


def _whole(tag: int) -> Callable[[str], str]:
    return lambda value: f"{tag}|{int(value)}"


def _digits(value: str) -> str:
    return f"4x|{bytes.fromhex(value).hex()}"


def _ticks(value: str) -> str:
    found = re.match(r"\(?(\d+)", value)
    return f"67|{int(found[1] if found else value)}"


def _opaque(value: str) -> str:
    kind, _, number = value.partition(": ")
    head, form = _FLOAT[kind]
    return f"68x|{head}{struct.pack(form, float(number)).hex()}"


_WRITERS: dict[str, Callable[[str], str]] = {
    "INTEGER": _whole(2),
    "Hex-STRING": _digits,
    "BITS": _digits,
    "OID": lambda value: f"6|{value.strip('.')}",
    "IpAddress": lambda value: f"64|{value}",
    "Counter32": _whole(65),
    "Gauge32": _whole(66),
    "Timeticks": _ticks,
    "Opaque": _opaque,
    "Counter64": _whole(70),
}
