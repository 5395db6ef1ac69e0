"""Statements about what channels with a cap heard of, and what they were told."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import Update
from sqlmodel import col

from controlplane.alerts.models import Alert, AlertStatus
from controlplane.database import one_of
from controlplane.digests.models import Heard, Message
from controlplane.notifications.models import Channel


def known(channel: UUID, fingerprints: Collection[str], since: datetime) -> Select[tuple[Heard]]:
    """Select what a channel heard of these alerts that goes on, or began at `since` or later."""
    return select(Heard).where(
        col(Heard.channel_id) == channel,
        one_of(col(Heard.fingerprint), fingerprints),
        or_(col(Heard.over_at).is_(None), col(Heard.starts_at) >= since),
    )


def hear(rows: Sequence[dict[str, Any]]) -> Insert:
    """Add alerts that a channel heard of."""
    return insert(Heard).values(rows)


def held(channel: UUID) -> Select[tuple[Heard]]:
    """Select what no message has told a channel yet, in the order in which it was heard."""
    return (
        select(Heard)
        .where(col(Heard.channel_id) == channel, col(Heard.message_id).is_(None))
        .order_by(col(Heard.heard_at), col(Heard.starts_at), col(Heard.id))
    )


def holds(channel: UUID) -> Select[tuple[bool]]:
    """Ask whether anything waits for a digest."""
    return select(held(channel).exists())


def told_since(channel: UUID, moment: datetime) -> Select[tuple[int]]:
    """Count the messages that a channel was told after a moment."""
    return select(func.count()).where(
        col(Message.channel_id) == channel, col(Message.told_at) > moment
    )


def put_into(channel: UUID, message: UUID) -> Update:
    """Have a message tell all that is held."""
    return (
        update(Heard)
        .where(col(Heard.channel_id) == channel, col(Heard.message_id).is_(None))
        .values(message_id=message)
    )


def under_way() -> Select[tuple[str]]:
    """Select the names of channels of which something is held or not over."""
    waits = exists().where(
        col(Heard.channel_id) == col(Channel.id),
        or_(col(Heard.message_id).is_(None), col(Heard.over_at).is_(None)),
    )
    lasts = exists().where(
        col(Message.channel_id) == col(Channel.id), col(Message.over_at).is_(None)
    )
    return select(col(Channel.name)).where(or_(waits, lasts)).order_by(col(Channel.name))


def end_alerts(channel: UUID) -> Update:
    """End what is over by the history of alerts, also where Alertmanager kept the end to itself.

    An alert that the history does not know goes on.
    """
    same = col(Alert.fingerprint) == col(Heard.fingerprint)
    fires = exists().where(same, col(Alert.status) == AlertStatus.FIRING)
    ended = (
        select(func.max(col(Alert.ends_at)))
        .where(
            same,
            col(Alert.status) == AlertStatus.RESOLVED,
            col(Alert.ends_at) >= col(Heard.starts_at),
        )
        .scalar_subquery()
    )
    return (
        update(Heard)
        .where(
            and_(col(Heard.channel_id) == channel, col(Heard.over_at).is_(None)),
            ~fires,
            ended.is_not(None),
        )
        .values(over_at=ended)
        .execution_options(synchronize_session=False)
    )


def end_messages(channel: UUID, told_before: datetime, moment: datetime) -> Update:
    """End the messages of which no alert goes on, but not those told just now."""
    lasts = exists().where(col(Heard.message_id) == col(Message.id), col(Heard.over_at).is_(None))
    return (
        update(Message)
        .where(
            col(Message.channel_id) == channel,
            col(Message.over_at).is_(None),
            col(Message.told_at) <= told_before,
            ~lasts,
        )
        .values(over_at=moment)
        .execution_options(synchronize_session=False)
    )


def to_tell() -> Select[tuple[Message, str]]:
    """Select the messages that Alertmanager is to hold or to end, each with its channel's name."""
    return (
        select(Message, col(Channel.name))
        .join(Channel, col(Channel.id) == col(Message.channel_id))
        .where(~col(Message.closed))
    )


def alerts_of(messages: Collection[UUID]) -> Select[tuple[Heard]]:
    """Select the alerts of these messages."""
    return select(Heard).where(one_of(col(Heard.message_id), messages))


def close(messages: Collection[UUID]) -> Update:
    """Note that nothing more is to be told of these messages."""
    return update(Message).where(one_of(col(Message.id), messages)).values(closed=True)


def old(before: datetime) -> Delete:
    """Remove messages that were closed long ago, with their alerts."""
    return delete(Message).where(col(Message.closed), col(Message.told_at) < before)
