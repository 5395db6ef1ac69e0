"""The snapshot: all the exporter needs to ask the devices (docs/architecture.md, 4.1)."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import system
from controlplane.credentials import queries as credential_queries
from controlplane.credentials import service as credentials
from controlplane.credentials.models import Kind
from controlplane.credentials.service import Stored
from controlplane.devices import inventory, queries
from controlplane.devices.addresses import Reach
from controlplane.devices.catalogue import queries as catalogue
from controlplane.devices.schemas import DeviceRead
from controlplane.errors import Unavailable, Unreadable
from controlplane.vault import Vault

WAITING = "@"  # between the name of a credential and the number of a version; in no name


@dataclass(frozen=True)
class Snapshot:
    """The document, as bytes, and the revision it goes by."""

    revision: str
    content: bytes = field(repr=False)  # it holds secrets in the clear
    unreadable: tuple[str, ...] = ()  # credentials that the vault does not open
    out_of_reach: tuple[str, ...] = ()  # devices whose address is in no management network

    @property
    def etag(self) -> str:
        """The strong entity tag (RFC 9110, section 8.8.3)."""
        return f'"{self.revision}"'


def builder(vault: Vault, reach: Reach) -> Callable[[AsyncSession], Awaitable[Snapshot]]:
    """Make the function that builds the snapshot of the database's state."""

    async def build(session: AsyncSession) -> Snapshot:
        monitored = list(await session.scalars(queries.monitored()))
        everything = await inventory.read(session, system("targets"), monitored, every=True)
        # Written before a setting changed, or past us: the exporter is not sent there.
        refused = {device.name for device in everything if reach.refusal(device.address)}
        devices = [device for device in everything if device.name not in refused]
        used = sorted({name for device in devices for name in device.credentials})
        stored = await _stored(session, used)
        auths, unreadable = _open(vault, stored)
        if unreadable and not auths:
            raise Unavailable("the vault opens no credential at all: its key is not there")
        tried: dict[str, list[str]] = {}
        for auth in stored:
            tried.setdefault(auth.partition(WAITING)[0], []).append(auth)
        defaults = dict((await session.execute(catalogue.profiles())).tuples().all())
        document = {"auths": auths, "devices": _devices(devices, tried, auths, defaults)}
        return _revised(document, unreadable, tuple(sorted(refused)))

    return build


async def _stored(session: AsyncSession, names: Collection[str]) -> dict[str, Stored]:
    """Read the credentials the exporter can use, and after each the waiting one, `name@number`."""
    found: dict[str, Stored] = {}
    waiting = dict((await session.execute(credential_queries.waiting_for(names))).tuples().all())
    for credential in await session.scalars(credential_queries.of_kind(Kind.SNMP, names)):
        found[credential.name] = credential
        if (version := waiting.get(credential.name)) is not None:
            found[f"{credential.name}{WAITING}{version.number}"] = version
    return found


def _devices(
    devices: Sequence[DeviceRead],
    tried: Mapping[str, Sequence[str]],
    auths: Collection[str],
    defaults: Mapping[str, str | None],
) -> dict[str, dict[str, Any]]:
    """Describe each device that can be asked.

    One whose auths all do not open is not there: it would look dead, which nobody knows.
    `defaults` are the profiles of platforms.
    """
    asked = {
        device.name: [a for name in device.credentials for a in tried.get(name, ()) if a in auths]
        for device in devices
    }
    return {
        device.name: {
            "address": device.address,
            "port": device.port,
            "auths": asked[device.name],
            "profile": device.profile or defaults.get(device.platform or ""),
            "modules": device.modules,
        }
        for device in devices
        if asked[device.name] or not any(name in tried for name in device.credentials)
    }


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


def _revised(
    document: dict[str, Any], unreadable: tuple[str, ...], out_of_reach: tuple[str, ...]
) -> Snapshot:
    # A hash, not the count of changes: a database put back from a backup may count the same twice.
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    revision = hashlib.sha256(canonical).hexdigest()[:32]
    content = json.dumps({"revision": revision, **document}).encode()
    return Snapshot(revision, content, unreadable, out_of_reach)
