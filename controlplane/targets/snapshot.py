"""The snapshot: all the exporter needs to ask the devices (docs/architecture.md, 4.1)."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.credentials import queries as credential_queries
from controlplane.credentials import service as credentials
from controlplane.credentials.models import Kind
from controlplane.credentials.service import Stored
from controlplane.devices.addresses import Reach
from controlplane.errors import NotFound, Unavailable, Unreadable
from controlplane.settings import Settings
from controlplane.targets import queries
from controlplane.targets.document import Document, Entry
from controlplane.targets.exporters import service as exporters
from controlplane.targets.exporters.assignment import Assignment
from controlplane.vault import Vault

WAITING = "@"  # between the name of a credential and the number of a version; in no name


@dataclass(frozen=True, slots=True)
class Made:
    """A device as it was read and as it was written; not at all where its address is refused."""

    fields: dict[str, Any]
    entry: Entry | None


@dataclass
class Held:
    """What one exporter must know."""

    auths: set[str] = field(default_factory=set)
    devices: list[str] = field(default_factory=list)
    _document: Document | None = field(default=None, repr=False)

    def document(self, every: Document) -> Document:
        """Give its part of the document of all devices."""
        if self._document is None:
            auths = {name: entry for name, entry in every.auths.items() if name in self.auths}
            self._document = Document(auths, {name: every.devices[name] for name in self.devices})
        return self._document


@dataclass(frozen=True)
class Snapshot:
    """The document of all devices, who must know which, and what had to be left out of it."""

    document: Document = field(repr=False)
    held: Mapping[str, Held] = field(repr=False)  # by exporter
    unreadable: tuple[str, ...] = ()  # credentials that the vault does not open
    out_of_reach: tuple[str, ...] = ()  # devices whose address is in no management network

    def of(self, exporter: str) -> Document:
        """Give the document of one exporter, or raise NotFound; without a name, all of it."""
        if not exporter:
            return self.document
        if exporter not in self.held:
            raise NotFound(f"there is no exporter {exporter!r}")
        return self.held[exporter].document(self.document)

    @property
    def lasts(self) -> bool:
        """Whether only a change can make it another; what mends a secret may be a file."""
        return not self.unreadable


class Builder:
    """Builds the snapshot of the database's state; devices that are as before are not made anew."""

    def __init__(self, vault: Vault, settings: Settings) -> None:
        self._vault = vault
        self._settings = settings
        self._reach = Reach.of(settings)
        self._made: dict[str, Made] = {}
        self._sharing: Assignment | None = None

    async def __call__(self, session: AsyncSession) -> Snapshot:
        """Read, open and write everything; raise Unavailable where the vault opens nothing."""
        rows = (await session.execute(queries.asked())).all()
        used = sorted({name for row in rows for name in row.names or ()})
        stored = await _stored(session, used)
        opened, unreadable = _open(self._vault, stored)
        if unreadable and not opened:
            raise Unavailable("the vault opens no credential at all: its key is not there")
        sharing = await exporters.assignment(session, self._settings, self._sharing)
        self._sharing = sharing
        devices, refused = self._devices(rows, _tried(stored), opened)
        held, named = _held(rows, devices, sharing)
        auths = {name: Entry.of(fields) for name, fields in opened.items() if name in named}
        document = Document(
            auths, {name: made.entry for name, made in devices.items() if made.entry}
        )
        return Snapshot(document, held, unreadable, refused)

    def _devices(
        self, rows: Sequence[Any], tried: Mapping[str, Sequence[str]], auths: Collection[str]
    ) -> tuple[dict[str, Made], tuple[str, ...]]:
        """Describe each device that can be asked, and name those out of reach.

        One whose auths all do not open is not there: it would look dead, which nobody knows.
        """
        made = {row.name: self._make(row, tried, auths) for row in rows}
        self._made = made
        devices = {
            row.name: device
            for row in rows
            if (device := made[row.name]).entry is not None
            and (device.fields["auths"] or not any(name in tried for name in row.names or ()))
        }
        return devices, tuple(name for name, device in made.items() if device.entry is None)

    def _make(self, row: Any, tried: Mapping[str, Sequence[str]], auths: Collection[str]) -> Made:
        fields = _fields(row, tried, auths)
        before = self._made.get(row.name)
        if before is not None and before.fields == fields:
            return before
        # Written before a setting changed, or past us: the exporter is not sent there.
        refused = self._reach.refusal(row.address)
        return Made(fields, None if refused else Entry.of(_written(fields)))


async def described(
    session: AsyncSession, vault: Vault, device: UUID
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe a device, monitored or not, and open the auths it names, or raise Unreadable."""
    row = (await session.execute(queries.asked_of(device))).one()
    stored = await _stored(session, row.names or ())
    opened, unreadable = _open(vault, stored)
    if unreadable and not opened:
        raise Unreadable(f"the vault opens none of {', '.join(unreadable)}")
    return _written(_fields(row, _tried(stored), opened)), opened


def _fields(row: Any, tried: Mapping[str, Sequence[str]], auths: Collection[str]) -> dict[str, Any]:
    return {
        "address": row.address,
        "port": row.port,
        "auths": [a for name in row.names or () for a in tried.get(name, ()) if a in auths],
        "profile": row.profile,
        "modules": row.modules,
    }


def _written(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "modules": json.loads(fields["modules"])}


def _held(
    rows: Sequence[Any], devices: Mapping[str, Made], sharing: Assignment
) -> tuple[dict[str, Held], set[str]]:
    """Give what each exporter must know, and the auths that any of them needs."""
    held = {member.name: Held() for member in sharing.members}
    named: set[str] = set()
    for row in rows:
        if (device := devices.get(row.name)) is None:
            continue
        named.update(device.fields["auths"])
        for member in sharing.holders(row.name, row.site_id):
            held[member.name].devices.append(row.name)
            held[member.name].auths.update(device.fields["auths"])
    return held, named


async def _stored(session: AsyncSession, names: Collection[str]) -> dict[str, Stored]:
    """Read the credentials the exporter can use, and after each the waiting one, `name@number`."""
    found: dict[str, Stored] = {}
    waiting = dict((await session.execute(credential_queries.waiting_for(names))).tuples().all())
    for credential in await session.scalars(credential_queries.of_kind(Kind.SNMP, names)):
        found[credential.name] = credential
        if (version := waiting.get(credential.name)) is not None:
            found[f"{credential.name}{WAITING}{version.number}"] = version
    return found


def _tried(stored: Collection[str]) -> dict[str, list[str]]:
    """Give the auths to try for each credential: the one in force, then the waiting one."""
    tried: dict[str, list[str]] = {}
    for auth in stored:
        tried.setdefault(auth.partition(WAITING)[0], []).append(auth)
    return tried


def _open(
    vault: Vault, stored: Mapping[str, Stored]
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Open what can be opened, and name the rest."""
    auths, unreadable = {}, []
    for name, credential in stored.items():
        try:
            auths[name] = credentials.opened(vault, credential)
        except Unreadable:
            unreadable.append(name)
    return auths, tuple(sorted(unreadable))
