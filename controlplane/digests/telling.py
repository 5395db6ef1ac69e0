"""Tell what a cap let through: by Alertmanager, as alerts that name their channel and message.

A message is told again and again while it lasts; the same labels are the same alert, so a restart
on either side neither loses nor doubles it.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.clients.alertmanager import Alertmanager, PostedAlert
from controlplane.database import now
from controlplane.digests import queries, service
from controlplane.digests.models import Heard, Message
from controlplane.errors import Invalid, Unavailable
from controlplane.notifications.routing import MESSAGE, TEST_CHANNEL

log = logging.getLogger(__name__)

# "CHMG": one at a time tells, or an end could be overtaken by what was told before.
LOCK = text("SELECT pg_try_advisory_xact_lock(1128811847)")
# How long Alertmanager goes on with a message while nothing of ours runs; then it tells an end.
LEASE = timedelta(days=1)
# How long an end is told: an acknowledgement's silence may cover it at first.
AGAIN = timedelta(minutes=5)
TURNS, PATIENCE = 25, 0.2  # how often, and seconds between, it is tried to get a turn


@dataclass(frozen=True)
class Sender:
    """What telling takes: what was decided, and who tells it."""

    sessions: async_sessionmaker[AsyncSession]
    alertmanager: Alertmanager
    public_url: str

    async def run(self) -> None:
        """Look once at every channel of which something is held or lasts, and tell."""
        async with self.sessions() as session:
            names = (await session.scalars(queries.under_way())).all()
        for name in names:
            async with self.sessions.begin() as session:
                await service.settle(session, name, self.public_url)
        await self.tell()

    async def tell(self) -> None:
        """Have Alertmanager hold what lasts and end what is over; if it is away, the next time."""
        for _ in range(TURNS):
            async with self.sessions.begin() as session:
                if await session.scalar(LOCK):
                    await self._tell(session)
                    return
            await asyncio.sleep(PATIENCE)

    async def _tell(self, session: AsyncSession) -> None:
        messages = (await session.execute(queries.to_tell())).tuples().all()
        alerts: dict[UUID | None, list[Heard]] = defaultdict(list)
        single = [message.id for message, _ in messages if not message.digest]
        for heard in await session.scalars(queries.alerts_of(single)):
            alerts[heard.message_id].append(heard)
        moment = now()
        posted = [
            alert
            for message, channel in messages
            for alert in tellings(message, alerts[message.id], channel, moment)
        ]
        if not posted:
            return
        try:
            await self.alertmanager.post_alerts(posted)
        except (Unavailable, Invalid) as error:
            log.warning("Alertmanager was not told what goes to people: %s", error.detail)
            return
        told = [m.id for m, _ in messages if m.over_at is not None and m.over_at + AGAIN <= moment]
        await session.execute(queries.close(told))


def tellings(
    message: Message, alerts: Sequence[Heard], channel: str, moment: datetime
) -> list[PostedAlert]:
    """Give the alerts by which Alertmanager tells a message, and its end once all of it is over.

    They begin now, whenever they began: what is older Alertmanager tells before it has all of them.
    """
    to = {TEST_CHANNEL: channel, MESSAGE: str(message.id)}
    span = (moment, moment + LEASE)
    if message.over_at is not None:
        span = (message.told_at, message.over_at)
    if message.digest:
        return [PostedAlert(message.labels | to, message.annotations, *span)]
    return [PostedAlert(heard.labels | to, _annotations(heard), *span) for heard in alerts]


def _annotations(heard: Heard) -> Mapping[str, str]:
    moments = {"chm_since": heard.starts_at, "chm_until": heard.over_at}
    written = {n: f"{at:%Y-%m-%d %H:%M:%S} UTC" for n, at in moments.items() if at is not None}
    return heard.annotations | written
