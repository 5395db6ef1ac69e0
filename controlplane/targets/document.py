"""The document of a snapshot, its revision, and what changed since another (architecture, 4.1).

Every entry goes by a digest of its content, and a revision is the digest of those: two documents
of one revision are the same, whoever made them and when. So a difference is taken between contents,
never between moments; see docs/decisions/0018-snapshot-deltas.md.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

KINDS = ("auths", "devices", "alerts")
DIGITS = 32  # of a digest, in hexadecimal
REMEMBERED = 16  # revisions that a difference can be taken from

Digests = Mapping[str, Mapping[str, str]]  # by kind, then by name


@dataclass(frozen=True, slots=True)
class Entry:
    """An auth, a device or the rule of an alert, as the document has it."""

    content: bytes = field(repr=False)  # of an auth: secrets in the clear
    digest: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Entry":
        """Write the fields in the one way that the contract knows."""
        content = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
        return cls(content, hashlib.sha256(content).hexdigest()[:DIGITS])


@dataclass(frozen=True)
class Document:
    """Entries by name: what one exporter gets."""

    auths: Mapping[str, Entry]
    devices: Mapping[str, Entry]
    alerts: Mapping[str, Entry] = field(default_factory=dict)

    @cached_property
    def digests(self) -> Digests:
        """The digest of every entry; no secret can be read from them."""
        return {
            kind: {name: entry.digest for name, entry in getattr(self, kind).items()}
            for kind in KINDS
        }

    @cached_property
    def revision(self) -> str:
        """The name that this content has everywhere."""
        lines = (
            f"{kind} {name} {digest}\n"
            for kind in KINDS
            for name, digest in sorted(self.digests[kind].items())
        )
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:DIGITS]

    @cached_property
    def content(self) -> bytes:
        """The whole of it, as JSON."""
        return self._write({kind: getattr(self, kind) for kind in KINDS})

    def since(self, revision: str, known: Digests) -> bytes:
        """Write what is new or another since a revision, and what is gone, as JSON."""
        new, gone = {}, {}
        for kind in KINDS:
            entries: Mapping[str, Entry] = getattr(self, kind)
            before = known[kind]
            new[kind] = {n: e for n, e in entries.items() if before.get(n) != e.digest}
            gone[kind] = sorted(before.keys() - entries.keys())
        more = {"since": revision, "removed": gone}
        return self._write(new, more)

    def _write(
        self, entries: Mapping[str, Mapping[str, Entry]], more: Mapping[str, Any] | None = None
    ) -> bytes:
        head = json.dumps({"revision": self.revision, **(more or {})})[:-1].encode()
        kinds = (f'"{kind}": '.encode() + _object(entries[kind].items()) for kind in KINDS)
        return b", ".join((head, *kinds)) + b"}"


class History:
    """What this process served last: the digests of a few revisions, the newest last."""

    def __init__(self) -> None:
        self._digests: OrderedDict[str, Digests] = OrderedDict()

    def keep(self, document: Document) -> None:
        """Remember a document, so that what changed since can be told."""
        self._digests[document.revision] = document.digests
        self._digests.move_to_end(document.revision)
        while len(self._digests) > REMEMBERED:
            self._digests.popitem(last=False)

    def since(self, revision: str | None, document: Document) -> bytes:
        """Give what changed since a revision; the whole where that one is not remembered."""
        known = self._digests.get(revision or "")
        if revision is None or known is None:
            return document.content
        return document.since(revision, known)


def _object(entries: Iterable[tuple[str, Entry]]) -> bytes:
    members = (json.dumps(name).encode() + b": " + entry.content for name, entry in entries)
    return b"{" + b", ".join(members) + b"}"
