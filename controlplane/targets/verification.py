"""Test a version of a credential on devices of the inventory, by the exporters that ask them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import CanWriteCredentials
from controlplane.auth.permissions import Permission
from controlplane.clients.exporter import Outcome, Verifier
from controlplane.credentials import service as credentials
from controlplane.credentials import versions
from controlplane.database import Session
from controlplane.devices import queries
from controlplane.devices.addresses import Reach
from controlplane.devices.models import Device
from controlplane.errors import Invalid, Problem, Unavailable
from controlplane.grammar import Name
from controlplane.settings import Settings
from controlplane.targets.exporters import service as exporters
from controlplane.vault import Vault

router = APIRouter(prefix="/api/v1/credentials", tags=["credentials"])

MOST = 20  # devices of one test
AT_ONCE = 10


class CredentialTest(BaseModel):
    """Devices to try a credential on; `number` is its version, the one in force if left out."""

    model_config = ConfigDict(extra="forbid")

    devices: Annotated[list[Name], Field(min_length=1, max_length=MOST)]
    number: Annotated[int | None, Field(ge=1)] = None


class Tried(Outcome):
    """What a device said: `ok`, or why not."""

    device: str
    number: int


@router.post("/{name}/test")
async def try_credential(
    name: Name, data: CredentialTest, request: Request, session: Session, actor: CanWriteCredentials
) -> list[Tried]:
    """Try a credential on devices; a device that does not take it is a result, not an error."""
    tester = Tester(request.app.state.vault, request.app.state.settings)
    return await tester.run(session, actor, name, data)


@dataclass(frozen=True)
class Tester:
    """Opens credentials, and has them tried by the exporters of the settings."""

    vault: Vault
    settings: Settings

    async def run(
        self, session: AsyncSession, actor: Actor, name: str, data: CredentialTest
    ) -> list[Tried]:
        """Have each device asked by its exporter, several at once, and give what they said."""
        stored = await versions.choose(session, actor, name, data.number)
        if stored.version is None:
            detail = "only credentials of kind snmp can be tried on devices"
            raise Invalid(detail, Problem("/name", "kind", detail))
        devices = await _devices(session, actor, Reach.of(self.settings), data.devices)
        sharing = await exporters.assignment(session, self.settings)
        auth, taking_turns = credentials.opened(self.vault, stored), asyncio.Semaphore(AT_ONCE)
        async with Verifier.open(token(self.settings)) as verifier:

            async def ask(device: Device) -> Tried:
                exporter = sharing.owner(device.name, device.site_id).address
                async with taking_turns:
                    found = await verifier.verify(exporter, device.address, device.port, auth)
                return Tried(device=device.name, number=stored.number, **found.model_dump())

            return list(await asyncio.gather(*map(ask, devices)))


async def _devices(
    session: AsyncSession, actor: Actor, reach: Reach, names: Sequence[str]
) -> list[Device]:
    found = {
        device.name: device
        for device in await session.scalars(
            queries.named(actor, Permission.DEVICES_READ, dict.fromkeys(names))
        )
    }
    missing = [
        Problem(f"/devices/{index}", "unknown", f"there is no device {name!r}")
        for index, name in enumerate(names)
        if name not in found
    ]
    if missing:
        raise Invalid("some of these devices are not in the inventory", *missing)
    chosen = [found[name] for name in dict.fromkeys(names)]
    reach.check((f"/devices/{names.index(d.name)}", d.address) for d in chosen)
    return chosen


def token(settings: Settings) -> str:
    """Read the token by which exporters know the control plane; Unavailable where there is none."""
    try:
        return settings.verify_token_file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Unavailable(
            f"no token for the exporters: {settings.verify_token_file.name}: {error.strerror}"
        ) from None
