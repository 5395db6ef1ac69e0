"""Put the channels and routes in force that people and settings ask for."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane import events
from controlplane.clients.alertmanager import NotRunning
from controlplane.clients.notifier import Notifier
from controlplane.database import now
from controlplane.errors import ChmError, Unreadable
from controlplane.metrics.exposition import Family, Sample
from controlplane.notifications import queries, routes
from controlplane.notifications import service as channels
from controlplane.notifications.kinds import Version
from controlplane.notifications.models import RoutingRevision, RoutingStatus
from controlplane.notifications.receivers import OpenChannel
from controlplane.provisioning.alertmanager import amtool, document
from controlplane.provisioning.alertmanager.deployment import Deployment, Target, deploy
from controlplane.provisioning.alertmanager.document import Intention, RoutingSet
from controlplane.settings import Settings
from controlplane.vault import Vault

log = logging.getLogger(__name__)

# "CHMN": one writer of Alertmanager's configuration at a time, however many workers there are.
LOCK = text("SELECT pg_try_advisory_xact_lock(1128811854)")
NONE = RoutingSet("", "", {}, "")


@dataclass(frozen=True)
class RoutingDeployer:
    """What deploying takes: what is wanted, where it is kept, and who is to run it."""

    settings: Settings
    sessions: async_sessionmaker[AsyncSession]
    notifier: Notifier
    vault: Vault
    amtool: str = "amtool"
    _understood: dict[str, Version] = field(default_factory=dict, repr=False, compare=False)

    async def deploy(self) -> Deployment | None:
        """Bring Alertmanager to run what is wanted; nothing where another worker is at it."""
        async with self.sessions.begin() as session:
            if not await session.scalar(LOCK):
                return None
            moment = now()
            wanted, result = await self._attempt(session)
            await record(session, wanted, result, moment)
        return result

    async def _attempt(self, session: AsyncSession) -> tuple[RoutingSet, Deployment]:
        target = Target(self.settings.prometheus_folder, self.notifier, self.amtool)
        try:
            version = await self._version(target)
            wanted = document.build(self.settings, await intention(session, self.vault), version)
        except ChmError as error:
            return NONE, Deployment("failed", error.detail, running=False)
        return wanted, await deploy(wanted, target)

    async def _version(self, target: Target) -> Version:
        """Give what both amtool and Alertmanager understand; amtool alone where that is down."""
        if target.amtool not in self._understood:
            found = await amtool.version(target.amtool, target.check_timeout)
            self._understood[target.amtool] = found
        try:
            return min(await self.notifier.version(), self._understood[target.amtool])
        except NotRunning:
            return self._understood[target.amtool]


async def intention(session: AsyncSession, vault: Vault) -> Intention:
    """Read what people want; a channel whose secrets do not open is left out, and said."""
    opened: list[OpenChannel] = []
    left_out: dict[str, str] = {}
    for channel in await session.scalars(queries.channels()):
        try:
            opened.append(channels.open_channel(vault, channel))
        except Unreadable as error:
            left_out[channel.name] = error.detail
    return Intention(tuple(opened), await routes.plans(session), left_out)


async def record(
    session: AsyncSession, wanted: RoutingSet, result: Deployment, moment: datetime
) -> None:
    """Keep how an attempt went; one that went as the one before only confirms it."""
    status = RoutingStatus.FAILED if result.status == "failed" else RoutingStatus.DEPLOYED
    entry = RoutingRevision(
        revision=wanted.revision,
        status=status,
        detail=result.detail,
        left_out=dict(wanted.left_out),
        document=wanted.masked,
        running=result.running,
        confirmed_at=moment,
    )
    last = await session.scalar(queries.newest())
    if last is not None and last.outcome == entry.outcome:
        last.confirmed_at = moment
        return
    log.log(
        logging.ERROR if status is RoutingStatus.FAILED else logging.INFO,
        "alertmanager.yml %s %s: %s",
        *(wanted.revision, status.value, result.detail),
    )
    await events.changed(session)
    session.add(entry)


async def intent(session: AsyncSession) -> Iterable[Family]:
    """Say whether people are told as they asked, for the alert that tells when they are not."""
    last = await session.scalar(queries.newest())
    failed = last is not None and (last.status is RoutingStatus.FAILED or bool(last.left_out))
    help_text = "1 while channels or routes are not in force as people made them."
    return [Family("chm_notification_deployment_failed", help_text, [Sample(float(failed))])]
