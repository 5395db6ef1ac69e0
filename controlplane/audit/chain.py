"""The chain: every entry carries an HMAC of itself and of the one before (RFC 2104, SHA-256).

The key lies in a file, not in the database: who can write every table can still not write an entry
that verifies. Pure functions; the database is in `service` and `verification`.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

START = "0" * 64  # what the first entry is chained to

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Head:
    """An entry of the chain by its place and its code; the newest one unless said otherwise."""

    seq: int = 0
    mac: str = START


def mac(key: bytes, before: str, entry: Entry) -> str:
    """Give the code of an entry that follows the entry of code `before`, in hex."""
    message = before.encode() + b"\n" + canonical(entry)
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def canonical(entry: Entry) -> bytes:
    """Write the fields of an entry, without its code, in the one way there is."""
    fields = {name: _plain(value) for name, value in entry.items() if name != "mac"}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def append(key: bytes, head: Head, entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Chain entries to the head: give each its number and its code."""
    for entry in entries:
        numbered = {**entry, "seq": head.seq + 1}
        head = Head(head.seq + 1, mac(key, head.mac, numbered))
        yield {**numbered, "mac": head.mac}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
