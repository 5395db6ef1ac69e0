"""Watch Alertmanager and hold what people decided: the poll, and the silences of acknowledgements.

Both may run in several processes at once: what is found is written under one lock and changes
nothing twice, and one at a time tells Alertmanager.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.alerts import acknowledgements, incidents, manual, queries, service, silences
from controlplane.alerts.service import Sight
from controlplane.clients.alertmanager import Alertmanager, PostedAlert, Refused, Silence
from controlplane.clients.prometheus import Prometheus
from controlplane.database import now
from controlplane.errors import Invalid, NotFound, Unavailable

log = logging.getLogger(__name__)

# "CHMK": one at a time makes and ends silences, or two would make the same one.
LOCK = text("SELECT pg_try_advisory_xact_lock(1128811851)")
# By these labels people are told of an alert, or a channel is tried: none is an outage.
TOLD = frozenset({"escalation", "chm_channel"})
AGAIN = timedelta(minutes=5)  # how long the end of what somebody had is told again
TURNS, PATIENCE = 25, 0.2  # how often, and seconds between, it is tried to get a turn
NOT_TOLD = (Unavailable, Invalid, NotFound)  # away, unwilling, or not what is at its address

Sessions = async_sessionmaker[AsyncSession]


@dataclass(frozen=True)
class Holder:
    """Tells Alertmanager what people decided: acknowledgements, and alerts made by hand."""

    sessions: Sessions
    alertmanager: Alertmanager

    async def hold(self) -> None:
        """Bring Alertmanager to what was decided; where it does not answer, the next time will."""
        for _ in range(TURNS):
            async with self.sessions.begin() as session:
                if await session.scalar(LOCK):
                    await self._try(session)
                    return
            await asyncio.sleep(PATIENCE)

    async def _try(self, session: AsyncSession) -> None:
        for work in (self._tell, self._silence, self._tell_ends):
            try:
                await work(session)
            except NOT_TOLD as error:
                log.warning("Alertmanager was not told of what people decided: %s", error.detail)

    async def _tell(self, session: AsyncSession) -> None:
        moment = now()
        made = list(await session.scalars(queries.made_by_hand(moment - manual.LEASE)))
        if made:
            await self.alertmanager.post_alerts(manual.tellings(made, moment))

    async def _silence(self, session: AsyncSession) -> None:
        acknowledged = list(await session.scalars(queries.acknowledged()))
        plan = silences.plan(acknowledged, await self.alertmanager.silences(), now())
        for silence in plan.set:
            await self._set(silence)
        for silence_id in plan.expire:
            await self._expire(silence_id)

    async def _tell_ends(self, session: AsyncSession) -> None:
        """Tell the end of what was silenced when it ended, now that it no longer is.

        Alertmanager keeps such an end to itself. It knows whom it has told of what, so whoever
        heard of the end, or never of the alert, hears nothing.
        """
        over = list(await session.scalars(queries.over_while_acknowledged(now() - AGAIN)))
        if not over:
            return
        fires = {alert.fingerprint for alert in await self.alertmanager.alerts()}
        ends = [
            PostedAlert(alert.labels, alert.annotations, alert.starts_at, alert.ends_at)
            for alert in over
            if alert.ends_at is not None and alert.fingerprint not in fires
        ]
        if ends:
            await self.alertmanager.post_alerts(ends)

    async def _set(self, silence: Silence) -> None:
        try:
            await self.alertmanager.set_silence(silence)
        except Refused as error:  # one that cannot be must not stand in the way of all others
            log.warning("the silence %r was refused: %s", silence.comment, error.detail)

    async def _expire(self, silence_id: str) -> None:
        try:
            await self.alertmanager.expire_silence(silence_id)
        except NotFound:
            log.info("the silence %s is gone already", silence_id)


@dataclass(frozen=True)
class Watcher:
    """Polls Alertmanager, whose webhook says nothing of what is silenced or inhibited.

    `settle` is how long Alertmanager, and `warm_up` how long Prometheus must have been running
    before what they do not name is over; `confirm`, how far apart two answers without it must be.
    """

    holder: Holder
    prometheus: Prometheus
    settle: timedelta
    warm_up: timedelta
    confirm: timedelta

    async def watch(self) -> None:
        """Look once, write what was found, end what is due, and hold what was decided."""
        sight = await self._look()
        async with self.holder.sessions.begin() as session:
            await acknowledgements.lapse(session)
            await manual.lapse(session)
            if sight is not None:
                await service.observe(session, sight, self.confirm)
                await incidents.correlate(session)
        await self.holder.hold()

    async def _look(self) -> Sight | None:
        """Ask Alertmanager; None where it gives no whole answer."""
        alertmanager, asked_at = self.holder.alertmanager, now()
        try:
            status = await alertmanager.status()
            told = await alertmanager.alerts()
            own = silences.own(await alertmanager.silences())
        except NOT_TOLD as error:
            log.warning("Alertmanager was not polled: %s", error.detail)
            return None
        alerts = tuple(alert for alert in told if not TOLD & alert.labels.keys())
        complete = status.cluster != "settling" and asked_at - status.started_at >= self.settle
        return Sight(asked_at, alerts, own, complete and await self._source_is_there())

    async def _source_is_there(self) -> bool:
        """Say whether Prometheus evaluates: what it no longer tells is over, unless it is away."""
        try:
            return now() - await self.prometheus.started_at() >= self.warm_up
        except (Unavailable, Invalid) as error:
            log.warning("no alert is ended by its absence: %s", error.detail)
            return False
