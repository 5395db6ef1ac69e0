"""Acknowledge alerts, and take that back: the intention; Alertmanager is told by `hold`."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import queries, service
from controlplane.alerts.history import Change
from controlplane.alerts.models import Alert, Step
from controlplane.alerts.schemas import Acknowledge
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import now
from controlplane.errors import Conflict, Invalid, Problem

MAY = Permission.ALERTS_ACKNOWLEDGE


async def acknowledge(
    session: AsyncSession, actor: Actor, ids: Collection[UUID], data: Acknowledge
) -> list[Alert]:
    """Note that the actor has these alerts, all or none; one that is over is a conflict.

    Again changes comment and end, and who has it.
    """
    if data.expires_at is not None and data.expires_at <= now():
        words = "the acknowledgement would be over already"
        raise Invalid(words, Problem("/expires_at", "past", words))
    alerts = await _firing(session, actor, ids)
    for alert in alerts:
        before = _fields(alert)
        alert.acknowledged_at, alert.acknowledged_by = now(), actor.name
        alert.ack_comment, alert.ack_expires_at = data.comment, data.expires_at
        alert.first_acknowledged_at = alert.first_acknowledged_at or alert.acknowledged_at
        alert.settle()
        await service.log(session, actor, alert, before, _fields(alert))
    detail = {"expires_at": data.expires_at.isoformat()} if data.expires_at else {}
    changes = [Change(alert, Step.ACKNOWLEDGED, detail=detail) for alert in alerts]
    await service.record(session, changes, actor, data.comment)
    return alerts


async def unacknowledge(session: AsyncSession, actor: Actor, alert_id: UUID) -> Alert:
    """Note that nobody has the alert any more."""
    (alert,) = await _firing(session, actor, [alert_id])
    if alert.acknowledged_at is None:
        raise Conflict("nobody has acknowledged this alert")
    before = _fields(alert)
    _release(alert)
    await service.record(session, [Change(alert, Step.UNACKNOWLEDGED)], actor)
    await service.log(session, actor, alert, before, _fields(alert))
    return alert


async def lapse(session: AsyncSession) -> Sequence[Alert]:
    """End the acknowledgements whose time is over; give their alerts, which are active again."""
    await service.take_turn(session)
    alerts = list(await session.scalars(queries.expired(now())))
    changes = []
    for alert in alerts:
        detail = {"acknowledged_by": alert.acknowledged_by}
        changes.append(Change(alert, Step.ACKNOWLEDGEMENT_EXPIRED, detail=detail))
        _release(alert)
    await service.record(session, changes)
    return alerts


async def _firing(session: AsyncSession, actor: Actor, ids: Collection[UUID]) -> list[Alert]:
    await service.take_turn(session)
    alerts = await service.get_all(session, actor, MAY, ids)
    over = next((alert for alert in alerts if not alert.firing), None)
    if over is not None:
        raise Conflict(f"the alert {over.id} ({over.alertname} {over.device}) is over")
    return alerts


def _release(alert: Alert) -> None:
    alert.acknowledged_at = alert.ack_expires_at = None
    alert.acknowledged_by = alert.ack_comment = ""
    alert.settle()


def _fields(alert: Alert) -> dict[str, Any]:
    return {
        "acknowledged_by": alert.acknowledged_by,
        "comment": alert.ack_comment,
        "expires_at": alert.ack_expires_at,
    }
