"""Keep Alertmanager's silences as the windows want them."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.clients.alertmanager import Alertmanager, Refused, Silence
from controlplane.database import now
from controlplane.devices import names
from controlplane.errors import NotFound, Unavailable
from controlplane.maintenance import coverage, queries, silences

log = logging.getLogger(__name__)

# "CHMM". A lock of the queue would stay with a worker that died.
LOCK = text("SELECT pg_try_advisory_xact_lock(1128811853)")
LEAD = timedelta(hours=24)  # so that a window opens although the control plane is down by then


@dataclass(frozen=True)
class Keeper:
    """What keeping takes: where windows are, and who silences."""

    sessions: async_sessionmaker[AsyncSession]
    alertmanager: Alertmanager

    async def keep(self) -> None:
        """Make, change and end silences; what Alertmanager does not take now is tried again.

        While another worker is at it, do nothing: two would make each silence twice.
        """
        async with self.sessions.begin() as session:
            if not await session.scalar(LOCK):
                return
            wanted = await _wanted(session, now())
            try:
                await self._apply(wanted)
            except Unavailable as error:
                log.warning("silences of maintenance were not brought up to date: %s", error.detail)

    async def _apply(self, wanted: Mapping[str, Silence]) -> None:
        changes = silences.changes(wanted, await self.alertmanager.silences())
        for silence in changes.to_set:  # before any ends: there is no gap between two
            try:
                await self.alertmanager.set_silence(silence)
            except Refused as error:
                log.error("%s is not in force: %s", silence.comment, error.detail)  # noqa: TRY400 - Alertmanager's words say it all
        for silence_id in changes.to_expire:
            try:
                await self.alertmanager.expire_silence(silence_id)
            except NotFound:
                log.info("silence %s was gone before it was ended", silence_id)


async def _wanted(session: AsyncSession, moment: datetime) -> dict[str, Silence]:
    """Give the silences there should be: what fires under a former name is silent until it ends."""
    former = await names.lately(session)
    planned = [
        replace(entry, devices=frozenset(_and_former(entry.devices, former)))
        for entry in await coverage.planned(session, moment, moment + LEAD)
    ]
    in_status = await session.scalars(queries.in_status_maintenance())
    return silences.wanted(planned, list(_and_former(in_status, former)), moment)


def _and_former(devices: Iterable[str], former: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name in devices:
        yield name
        yield from former.get(name, ())
