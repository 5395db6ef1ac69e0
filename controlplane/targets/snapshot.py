"""The snapshot: all the exporter needs to ask the devices (docs/architecture.md, 4.1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.credentials import queries as credential_queries
from controlplane.credentials import service as credentials
from controlplane.credentials.models import Kind
from controlplane.credentials.service import Stored
from controlplane.devices.addresses import Reach
from controlplane.errors import Unavailable, Unreadable
from controlplane.targets import queries
from controlplane.targets.document import Document, Entry
from controlplane.vault import Vault

WAITING = "@"  # between the name of a credential and the number of a version; in no name


@dataclass(frozen=True)
class Snapshot:
    """The document of all devices, and what had to be left out of it."""

    document: Document = field(repr=False)
    unreadable: tuple[str, ...] = ()  # credentials that the vault does not open
    out_of_reach: tuple[str, ...] = ()  # devices whose address is in no management network

    @property
    def lasts(self) -> bool:
        """Whether only a change can make it another; what mends a secret may be a file."""
        return not self.unreadable


class Builder:
    """Builds the snapshot of the database's state; devices that are as before are not made anew."""

    def __init__(self, vault: Vault, reach: Reach) -> None:
        self._vault = vault
        self._reach = reach
        self._made: dict[str, tuple[dict[str, Any], Entry | None]] = {}

    async def __call__(self, session: AsyncSession) -> Snapshot:
        """Read, open and write everything; raise Unavailable where the vault opens nothing."""
        rows = (await session.execute(queries.asked())).all()
        used = sorted({name for row in rows for name in row.names or ()})
        stored = await _stored(session, used)
        opened, unreadable = _open(self._vault, stored)
        if unreadable and not opened:
            raise Unavailable("the vault opens no credential at all: its key is not there")
        devices, refused, named = self._devices(rows, _tried(stored), opened)
        auths = {name: Entry.of(fields) for name, fields in opened.items() if name in named}
        return Snapshot(Document(auths, devices), unreadable, refused)

    def _devices(
        self, rows: Sequence[Any], tried: Mapping[str, Sequence[str]], auths: Collection[str]
    ) -> tuple[dict[str, Entry], tuple[str, ...], set[str]]:
        """Describe each device that can be asked; name those out of reach, and the auths in use.

        One whose auths all do not open is not there: it would look dead, which nobody knows.
        """
        made, devices, refused = {}, {}, []
        named: set[str] = set()
        for row in rows:
            asked = [a for name in row.names or () for a in tried.get(name, ()) if a in auths]
            fields = {
                "address": row.address,
                "port": row.port,
                "auths": asked,
                "profile": row.profile,
                "modules": row.modules,
            }
            entry = self._entry(row.name, fields)
            made[row.name] = fields, entry
            if entry is None:  # written before a setting changed, or past us
                refused.append(row.name)
            elif asked or not any(name in tried for name in row.names or ()):
                devices[row.name] = entry
                named.update(asked)
        self._made = made
        return devices, tuple(refused), named

    def _entry(self, name: str, fields: dict[str, Any]) -> Entry | None:
        """Write a device, or give None where it is not to be asked at its address."""
        before = self._made.get(name)
        if before is not None and before[0] == fields:
            return before[1]
        return None if self._reach.refusal(fields["address"]) else Entry.of(fields)


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
