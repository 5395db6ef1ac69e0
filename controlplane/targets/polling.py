"""Poll a device now, by the exporter that asks it: for somebody, or as it sent a trap.

How each collector fared is told and kept; what the device says of itself is learned.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from pydantic import computed_field
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.auth.actor import Actor, system
from controlplane.auth.dependencies import CanReadDevices, CanWriteDevices
from controlplane.auth.permissions import Permission
from controlplane.clients import exporter
from controlplane.clients.exporter import Verifier
from controlplane.database import Session, now
from controlplane.devices import polls, service
from controlplane.devices.addresses import Reach
from controlplane.errors import Busy, ChmError, Conflict, Invalid, NotFound, Problem
from controlplane.grammar import Name
from controlplane.settings import Settings
from controlplane.targets import snapshot, verification
from controlplane.targets.exporters import service as exporters
from controlplane.vault import Vault

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/devices", tags=["devices"])

LOCK = 0x43484D04  # advisory, with the device: it is polled once at a time, by all replicas
PLACES_LOCK = 0x43484D05  # advisory, with the place
PLACES = 8  # polls at once, of all replicas
RETRY_SECONDS = 5.0

HINTS = {
    "untested": "Look whether the exporter runs, and shares the token with the control plane.",
    "unreachable": "Look at address, port, ACLs, and community: agents are silent at a wrong one.",
    "wrong_credentials": "The device knows no such user, password or level: correct a credential.",
    "refused": "The agent refuses: let its view show the system group, and check the context.",
    "unresolved_name": "The host name has no address: correct it, or look at the name servers.",
    "local_fault": "The host of the exporter is at fault: its log says more.",
    "out_of_time": "The device is slow: ask it less often, or for fewer modules.",
    "undecodable": "What answers there is no SNMP agent: look at address and port.",
    "not_increasing": "The agent walks in circles, a fault of its software: update it.",
    "broken_off": "The agent ended with an error: it may restart, or its view may be cut.",
    "unidentified": "Give the device a profile: it does not say what it is.",
    "incomplete": "The agent answered part of it with an error: look at its view.",
    "unknown_module": "The exporter has no such module: correct the modules of the device.",
}


class Hinted(exporter.Outcome):
    """An outcome, and what to do about it where we know."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def hint(self) -> str:
        """What to look at next."""
        return HINTS.get(self.outcome, "")


class Collected(exporter.Collector, Hinted):
    """How one collector fared."""


class Polled(Hinted):
    """What a device said, collector by collector; `outcome` is `ok` where it answers.

    `trap` is the trap that it was polled for, and empty where somebody wanted it.
    """

    device: str
    at: datetime
    trap: str
    exporter: str
    seconds: float
    auth: str
    profile: str
    collectors: list[Collected]

    @property
    def complete(self) -> bool:
        """Whether the device answers, to every collector that was needed."""
        fared = {collector.outcome for collector in self.collectors}
        return self.outcome == "ok" and fared <= {"ok", "not_needed"}


@router.post("/{name}/poll")
async def poll_device(
    name: Name, request: Request, session: Session, actor: CanWriteDevices
) -> Polled:
    """Ask a device now, monitored or not; one that does not answer is a result, not an error."""
    poller = Poller(request.app.state.vault, request.app.state.settings)
    return await poller.run(session, actor, name)


@router.get("/{name}/poll")
async def get_poll(name: Name, session: Session, actor: CanReadDevices) -> Polled:
    """Show the last poll of a device out of turn, for a trap of it or for somebody."""
    return await last(session, actor, name)


async def last(session: AsyncSession, actor: Actor, name: str) -> Polled:
    """Give what came of the last poll of a device out of turn; NotFound where there was none."""
    device = await service.get(session, actor, name)
    poll = await polls.last(session, device)
    if poll is None:
        raise NotFound(f"device {name!r} was not polled out of turn")
    return Polled.model_validate({**(poll.report or {}), "device": name})


@dataclass(frozen=True)
class Poller:
    """Has devices asked by the exporters of the settings."""

    vault: Vault
    settings: Settings

    async def run(self, session: AsyncSession, actor: Actor, name: str, trap: str = "") -> Polled:
        """Have a device asked, and keep what it tells.

        Raises Conflict while another poll of it is under way.
        """
        device = await service.get(session, actor, name, Permission.DEVICES_WRITE)
        Reach.of(self.settings).check([("/address", device.address)])
        token = verification.token(self.settings)
        described, auths = await snapshot.described(session, self.vault, device.id)
        if not described["auths"]:
            detail = f"device {device.name!r} has no SNMP credential to be asked with"
            raise Invalid(detail, Problem("/credentials", "missing", detail))
        if not await session.scalar(_lock(LOCK, func.hashtext(str(device.id)))):
            raise Conflict(f"device {device.name!r} is being polled already")
        await _take_place(session)
        sharing = await exporters.assignment(session, self.settings)
        chosen = sharing.owner(device.name, device.site_id).address
        moment = now()
        async with Verifier.open(token) as verifier:
            report = await verifier.poll(chosen, described, auths, polls.FAMILIES)
        about = {"device": device.name, "exporter": chosen, "at": moment, "trap": trap}
        polled = Polled.model_validate(report.model_dump() | about)
        kept = polled.model_dump(mode="json", exclude={"device"})
        await polls.keep(session, device, moment, kept, report.exposition)
        return polled


@dataclass(frozen=True)
class Prompted:
    """Polls the devices that sent traps, each once in a pause; without one, none is polled."""

    sessions: async_sessionmaker[AsyncSession]
    poller: Poller
    pause: timedelta

    async def run(self) -> None:
        """Poll one after the other until none is due; others may do the same beside it."""
        while self.pause:
            async with self.sessions.begin() as session:
                due = await polls.claim(session, self.pause)
            if due is None:
                return
            await self._poll(*due)

    async def _poll(self, device: str, trap: str) -> None:
        try:
            async with self.sessions.begin() as session:
                await self.poller.run(session, system("traps"), device, trap)
        except (Busy, Conflict) as error:
            log.info("%s is polled for its trap later: %s", device, error.detail)
            async with self.sessions.begin() as session:
                await polls.again(session, device, trap)
        except ChmError as error:
            log.info("%s is not polled for its trap: %s", device, error.detail)


async def _take_place(session: AsyncSession) -> None:
    """Take one of the places until the commit, or raise Busy: a poll holds a connection so long."""
    for place in range(PLACES):
        if await session.scalar(_lock(PLACES_LOCK, place)):
            return
    raise Busy(f"{PLACES} devices are being polled at this moment", RETRY_SECONDS)


def _lock(space: int, key: Any) -> Select[tuple[bool]]:
    return select(func.pg_try_advisory_xact_lock(space, key))
