"""What a notification says, in words: its trap and its values by name, and a text of one line."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from exporter.profiles.notices import Entry, Notice, Severity
from exporter.profiles.values import Value
from exporter.protocols.snmp.notifications import Notification

LONGEST = 200  # characters of a value, and of a name that comes from a device
LONGEST_TEXT = 500
LARGEST_ARC = 2**32 - 1  # of an OID (RFC 2578 section 3.5)
UNKNOWN = "other"
"""The name of a trap that no table has."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notification by the table; `index` is the instance that it is about, `""` where none is."""

    name: str
    severity: Severity
    text: str
    index: str
    values: Mapping[str, str]


def told(notification: Notification, notice: Notice | None, device: str) -> Told:
    """Return what a device means; all that comes from it is printable text of bounded length."""
    if notice is None:
        return Told(UNKNOWN, "info", f"sent trap {notification.oid}", "", {})
    entry = notice.entry
    values = dict.fromkeys(entry.values, "")
    index = ""
    for oid, value in notification.bindings:
        for name, column in entry.values.items():
            if oid.startswith(f"{column}."):
                values[name] = worded(entry, name, value)
                index = index or instance(oid.removeprefix(f"{column}."))
    words = {**values, "index": index, "device": device}
    return Told(notice.name, entry.severity, filled(entry.text, words), index, values)


def instance(suffix: str) -> str:
    """Return the end of an OID that names an instance, `""` where no device could be asked for it.

    Text must not be cut off it: that would be another instance.
    """
    arcs = suffix.split(".")
    usable = all(arc.isdecimal() and int(arc) <= LARGEST_ARC for arc in arcs)
    return suffix if usable else ""


def filled(text: str, words: Mapping[str, str]) -> str:
    """Return a template with its words put in, in one line without needless spaces."""
    return " ".join(Template(text).safe_substitute(words).split())[:LONGEST_TEXT]


def worded(entry: Entry, name: str, value: Value) -> str:
    """Return a value by its word where the table has one."""
    if isinstance(value, int) and name in entry.words:
        return entry.words[name].get(value, str(value))
    return shown(value)


def shown(value: Value) -> str:
    """Return a value as text without control characters; octets that are none in hexadecimal."""
    if not isinstance(value, bytes):
        return "" if value is None else str(value)[:LONGEST]
    try:
        return clean(value.decode().rstrip("\0"))
    except UnicodeDecodeError:
        return value[: LONGEST // 3].hex(":")


def clean(text: str) -> str:
    """Return text with a space in place of each character that is not printable, cut to size."""
    return "".join(" " if _control(one) else one for one in text[:LONGEST]).strip()


def _control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
