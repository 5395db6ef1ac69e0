"""What a channel with a cap is told: decided here and written down, and told elsewhere.

Whoever decides locks the channel, so there is one at a time, however many control planes there are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.database import now
from controlplane.digests import queries
from controlplane.digests.digest import digest
from controlplane.digests.models import Heard, Message
from controlplane.errors import NotFound
from controlplane.notifications import queries as notifications
from controlplane.notifications import service as channels
from controlplane.notifications.models import Channel
from controlplane.notifications.schemas import InboxAlert

AT_ONCE = 1000  # rows of one statement
LEAST = timedelta(seconds=30)  # how long a message lasts: told of, before it may be over
KEPT = timedelta(days=30)


async def receive(session: AsyncSession, name: str, alerts: Sequence[InboxAlert]) -> bool:
    """Take what Alertmanager tells a channel with a cap; say whether a message is to go out.

    News that exceeds the cap are held. What was told before changes nothing.
    """
    channel = await session.scalar(notifications.locked(name))
    if channel is None:
        raise NotFound(f"there is no channel {name!r}")
    if not alerts:
        return False
    moment = now()
    known = await _known(session, channel, alerts)
    news = [alert for alert in _last(alerts) if _apply(alert, known.get(alert.fingerprint, ()))]
    if not news:
        return False
    passes = await _free(session, channel, moment) and not await session.scalar(
        queries.holds(channel.id)
    )
    message = await _message(session, Message(channel_id=channel.id)) if passes else None
    rows = [_row(channel, alert, message, moment) for alert in news]
    for start in range(0, len(rows), AT_ONCE):
        await session.execute(queries.hear(rows[start : start + AT_ONCE]))
    return passes


async def settle(session: AsyncSession, name: str, public_url: str) -> None:
    """End what is over of a channel, and make a digest of what is held once there is room."""
    channel = await session.scalar(notifications.locked(name))
    if channel is None:
        return
    moment = now()
    await session.execute(queries.end_alerts(channel.id))
    await session.execute(queries.end_messages(channel.id, moment - LEAST, moment))
    held = (await session.scalars(queries.held(channel.id))).all()
    if not held or not await _free(session, channel, moment):
        return
    told = digest(held, moment, public_url)
    message = Message(
        channel_id=channel.id,
        digest=True,
        labels=dict(told.labels),
        annotations=dict(told.annotations),
    )
    written = await _message(session, message)
    await session.execute(queries.put_into(channel.id, written))


async def forget(session: AsyncSession) -> None:
    """Remove messages of long ago."""
    await session.execute(queries.old(now() - KEPT))


async def _free(session: AsyncSession, channel: Channel, moment: datetime) -> bool:
    """Say whether the cap leaves room for one more; without one it always does."""
    cap = channels.cap(channel)
    if cap is None:
        return True
    since = moment - timedelta(seconds=cap.seconds)
    told = await session.scalar(queries.told_since(channel.id, since)) or 0
    return told < cap.notifications


async def _message(session: AsyncSession, message: Message) -> UUID:
    session.add(message)
    await session.flush()
    return message.id


async def _known(
    session: AsyncSession, channel: Channel, alerts: Sequence[InboxAlert]
) -> Mapping[str, Sequence[Heard]]:
    """Give what the channel heard of these alerts, by fingerprint."""
    fingerprints = {alert.fingerprint for alert in alerts}
    since = min(alert.startsAt for alert in alerts)
    known: dict[str, list[Heard]] = {}
    for heard in await session.scalars(queries.known(channel.id, fingerprints, since)):
        known.setdefault(heard.fingerprint, []).append(heard)
    return known


def _last(alerts: Sequence[InboxAlert]) -> list[InboxAlert]:
    """Give each alert once, as it was told last."""
    return list({alert.fingerprint: alert for alert in alerts}.values())


def _apply(alert: InboxAlert, known: Sequence[Heard]) -> bool:
    """End what is told to be over; say whether the alert is news.

    One that goes on is no news, also with another start: a restart of Prometheus makes a new one.
    """
    if alert.status == "firing":
        return all(h.over_at is not None and h.starts_at < alert.startsAt for h in known)
    end = alert.endsAt or alert.startsAt
    for heard in known:
        if heard.over_at is None and heard.starts_at <= end:
            heard.over_at = end
    return False


def _row(
    channel: Channel, alert: InboxAlert, message: UUID | None, moment: datetime
) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "channel_id": channel.id,
        "message_id": message,
        "fingerprint": alert.fingerprint,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": alert.startsAt,
        "heard_at": moment,
    }
