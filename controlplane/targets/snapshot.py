"""The snapshot: all the exporter needs to ask the devices (docs/architecture.md, 4.1)."""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import database
from controlplane.credentials import queries as credential_queries
from controlplane.credentials import service as credentials
from controlplane.credentials.models import Kind
from controlplane.credentials.service import Stored
from controlplane.devices.addresses import Reach
from controlplane.devices.interfaces import queries as interface_queries
from controlplane.devices.interfaces.models import Importance, Monitored
from controlplane.errors import NotFound, Unavailable, Unreadable
from controlplane.settings import Settings
from controlplane.targets import queries
from controlplane.targets.document import Document, Entry
from controlplane.targets.exporters import service as exporters
from controlplane.targets.exporters.assignment import Assignment
from controlplane.vault import Vault

Decided = dict[str, str]  # severity by the name of an interface
Alerts = Callable[[AsyncSession], Awaitable[Mapping[str, Mapping[str, Any]]]]
"""Gives what traps must know of the rules, by the names of alerts."""

# Of the alert of an interface that people are told of in any case: as the rule has it.
SEVERITIES = {
    Importance.CRITICAL: "critical",
    Importance.NORMAL: "warning",
    Importance.LOW: "info",
}
LABELS = ("site", "role", "vendor", "team")  # of alerts, where there are any
WAITING = "@"  # between the name of a credential and the number of a version; in no name


@dataclass(frozen=True, slots=True)
class Made:
    """A device as it was read and as it was written; not at all where its address is refused."""

    read: tuple[Any, ...]
    site: UUID | None
    credentials: str | None
    auths: tuple[str, ...]
    entry: Entry | None


@dataclass(frozen=True)
class Snapshot:
    """The document of all devices, who must know which, and what had to be left out of it."""

    document: Document = field(repr=False)
    devices: Mapping[str, Made] = field(repr=False)
    sharing: Assignment = field(repr=False)
    unreadable: tuple[str, ...] = ()  # credentials that the vault does not open
    out_of_reach: tuple[str, ...] = ()  # devices whose address is in no management network

    @property
    def lasts(self) -> bool:
        """Whether only a change can make it another; what mends a secret may be a file."""
        return not self.unreadable

    @cached_property
    def exporters(self) -> frozenset[str]:
        """The names that a part of it can be had by."""
        return frozenset(member.name for member in self.sharing.members)

    def of(self, exporter: str) -> Document:
        """Give the document of one exporter, or raise NotFound; without a name, all of it."""
        if not exporter:
            return self.document
        if exporter not in self.exporters:
            raise NotFound(f"there is no exporter {exporter!r}")
        return self._parts[exporter]

    @cached_property
    def _parts(self) -> Mapping[str, Document]:
        """The documents of all exporters, for where one asks, the others do."""
        parts: dict[str, dict[str, Made]] = {name: {} for name in self.exporters}
        for name, device in self.devices.items():
            for member in self.sharing.holders(name, device.site):
                parts[member.name][name] = device
        return {exporter: self._part(devices) for exporter, devices in parts.items()}

    def _part(self, devices: Mapping[str, Made]) -> Document:
        used, every = _used(devices.values()), self.document
        auths = {name: entry for name, entry in every.auths.items() if name in used}
        return Document(auths, {name: every.devices[name] for name in devices}, every.alerts)


class Builder:
    """Builds the snapshot of the database's state; devices that are as before are not made anew."""

    def __init__(self, vault: Vault, settings: Settings, alerts: Alerts) -> None:
        self._vault = vault
        self._alerts = alerts
        self._settings = settings
        self._reach = Reach.of(settings)
        self._made: dict[str, Made] = {}
        self._tried: dict[str, list[str]] = {}
        self._sharing: Assignment | None = None

    async def __call__(self, session: AsyncSession) -> Snapshot:
        """Read, open and write everything; raise Unavailable where the vault opens nothing."""
        rows = await database.plain(session, queries.asked())
        decided = await _decided(session)
        names = {name for together in {row.names for row in rows} for name in _names(together)}
        stored = await _stored(session, sorted(names))
        opened, unreadable = _open(self._vault, stored)
        if unreadable and not opened:
            raise Unavailable("the vault opens no credential at all: its key is not there")
        sharing = await exporters.assignment(session, self._settings, self._sharing)
        self._sharing = sharing
        tried = _tried(stored, opened)
        made = self._make_all(rows, decided, tried)
        # One whose auths all do not open is not there: it would look dead, which nobody knows.
        devices = {
            name: device
            for name, device in made.items()
            if device.entry is not None
            and (device.auths or tried.keys().isdisjoint(_names(device.credentials)))
        }
        used = _used(devices.values())
        auths = {name: Entry.of(fields) for name, fields in opened.items() if name in used}
        entries = {name: device.entry for name, device in devices.items() if device.entry}
        alerts = {name: Entry.of(rule) for name, rule in (await self._alerts(session)).items()}
        refused = tuple(name for name, device in made.items() if device.entry is None)
        document = Document(auths, entries, alerts)
        return Snapshot(document, devices, sharing, unreadable, refused)

    def _make_all(
        self, rows: Sequence[Any], decided: Mapping[str, Decided], tried: dict[str, list[str]]
    ) -> dict[str, Made]:
        """Write every device; what was read as before, to be asked with the same, is there."""
        before = self._made if tried == self._tried else {}
        made = {}
        for row in rows:
            name = row.name
            known, read = before.get(name), (*row, decided.get(name))
            made[name] = known if known and known.read == read else self._make(row, read, tried)
        self._made, self._tried = made, tried
        return made

    def _make(self, row: Any, read: tuple[Any, ...], tried: Mapping[str, Sequence[str]]) -> Made:
        told = read[-1]
        fields = _fields(row, tried) | ({"interfaces": told} if told else {})
        # Written before a setting changed, or past us: the exporter is not sent there.
        entry = None if self._reach.refusal(row.address) else Entry.of(fields)
        return Made(read, row.site_id, row.names, fields["auths"], entry)


async def described(
    session: AsyncSession, vault: Vault, device: UUID
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe a device, monitored or not, and open the auths it names, or raise Unreadable."""
    row = (await session.execute(queries.asked_of(device))).one()
    names = _names(row.names)
    stored = await _stored(session, names)
    opened, unreadable = _open(vault, stored)
    if unreadable and not opened:
        raise Unreadable(f"the vault opens none of {', '.join(unreadable)}")
    return _fields(row, _tried(stored, opened)), opened


def _fields(row: Any, tried: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    labels = {name: value for name in LABELS if (value := getattr(row, name))}
    return {
        **labels,
        "address": row.address,
        "port": row.port,
        "auths": tuple(auth for name in _names(row.names) for auth in tried.get(name, ())),
        "profile": row.profile,
        "modules": json.loads(row.modules),
    }


def _names(together: str | None) -> list[str]:
    """Give the names of credentials that a row has in one text: no name has a comma."""
    return together.split(",") if together else []


async def _decided(session: AsyncSession) -> dict[str, Decided]:
    """Give by device the interfaces about which an operator decided: how loud, or `none`."""
    decided: dict[str, Decided] = {}
    for device, name, importance, monitored in await database.plain(
        session, interface_queries.decided()
    ):
        severity = SEVERITIES[importance] if monitored is Monitored.YES else "none"
        decided.setdefault(device, {})[name] = severity
    return decided


async def _stored(session: AsyncSession, names: Collection[str]) -> dict[str, Stored]:
    """Read the credentials the exporter can use, and after each the waiting one, `name@number`."""
    found: dict[str, Stored] = {}
    waiting = dict((await session.execute(credential_queries.waiting_for(names))).tuples().all())
    for credential in await session.scalars(credential_queries.of_kind(Kind.SNMP, names)):
        found[credential.name] = credential
        if (version := waiting.get(credential.name)) is not None:
            found[f"{credential.name}{WAITING}{version.number}"] = version
    return found


def _tried(stored: Collection[str], opened: Collection[str]) -> dict[str, list[str]]:
    """Give the auths to try for each credential: the one in force, then the waiting one."""
    tried: dict[str, list[str]] = {}
    for auth in stored:
        auths = tried.setdefault(auth.partition(WAITING)[0], [])
        if auth in opened:
            auths.append(auth)
    return tried


def _used(devices: Iterable[Made]) -> set[str]:
    """Name the auths that any of the devices is asked with."""
    return {auth for auths in {device.auths for device in devices} for auth in auths}


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
