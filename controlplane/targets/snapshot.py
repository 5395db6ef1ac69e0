"""The snapshot: all the exporter needs to ask the devices (docs/architecture.md, 4.1)."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import system
from controlplane.credentials import queries as credential_queries
from controlplane.credentials import service as credentials
from controlplane.devices import inventory, queries
from controlplane.vault import Vault


@dataclass(frozen=True)
class Snapshot:
    """The document, as bytes, and the revision it goes by."""

    revision: str
    content: bytes = field(repr=False)  # it holds secrets in the clear

    @property
    def etag(self) -> str:
        """The strong entity tag (RFC 9110, section 8.8.3)."""
        return f'"{self.revision}"'


def builder(vault: Vault) -> Callable[[AsyncSession], Awaitable[Snapshot]]:
    """Make the function that builds the snapshot of the database's state."""

    async def build(session: AsyncSession) -> Snapshot:
        monitored = list(await session.scalars(queries.monitored()))
        devices = await inventory.read(session, system("targets"), monitored, every=True)
        used = sorted({name for device in devices for name in device.credentials})
        auths = {
            credential.name: credentials.opened(vault, credential)
            for credential in await session.scalars(credential_queries.named(used))
        }
        return _revised(
            {
                "auths": auths,
                "devices": {
                    device.name: {
                        "address": device.address,
                        "port": device.port,
                        "auths": device.credentials,
                        "profile": device.profile,
                        "modules": device.modules,
                    }
                    for device in devices
                },
            }
        )

    return build


def _revised(document: dict[str, Any]) -> Snapshot:
    # A hash, not the count of changes: a database put back from a backup may count the same twice.
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    revision = hashlib.sha256(canonical).hexdigest()[:32]
    return Snapshot(revision, json.dumps({"revision": revision, **document}).encode())
