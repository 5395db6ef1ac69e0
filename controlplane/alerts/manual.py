"""Alerts made by hand and by programs: Alertmanager routes them, we say when they are over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import episodes, history, queries, service
from controlplane.alerts.fingerprints import fingerprint
from controlplane.alerts.history import Change
from controlplane.alerts.models import Alert, AlertStatus, Step
from controlplane.alerts.schemas import AlertCreate
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.clients.alertmanager import PostedAlert
from controlplane.database import now
from controlplane.devices import queries as device_queries
from controlplane.devices import service as devices
from controlplane.devices.models import Device
from controlplane.errors import Conflict, Forbidden, Invalid, Problem

MAY = Permission.ALERTS_WRITE
SOURCE = "manual"  # the label that no rule sets: an alert by hand is never taken for a rule's
# How long Alertmanager keeps one that we no longer tell it of; it is told every 15 seconds.
LEASE = timedelta(minutes=5)


async def create(session: AsyncSession, actor: Actor, data: AlertCreate) -> tuple[Alert, bool]:
    """Have an alert fire; say whether it is a new one.

    The same labels are the same alert: told again while it fires, its texts and its end change.
    """
    start = episodes.exact(now())
    if data.until is not None and data.until <= start:
        detail = "the alert would be over already"
        raise Invalid(detail, Problem("/until", "past", detail))
    device = await _device(session, actor, data)
    labels = await _labels(session, device, data)
    await service.take_turn(session)
    name = fingerprint(labels)
    alert = await session.scalar(queries.firing_as(name))
    before = None if alert is None else _fields(alert)
    if alert is None:
        alert = _new(labels, start, device)
    elif device is not None and alert.device_id not in {None, device.id}:
        raise Conflict("the device that had the name before has an alert of these labels")
    alert.made_by = alert.made_by or actor.name
    alert.until = data.until
    alert.annotations = {"summary": data.summary, "description": data.description}
    steps = [Change(alert, Step.FIRED, new=True)] if before is None else []
    await service.record(session, steps, actor)
    await service.log(session, actor, alert, before, _fields(alert))
    return alert, before is None


async def resolve(session: AsyncSession, actor: Actor, alert_id: UUID, comment: str) -> Alert:
    """End an alert that was made by hand; for one of a rule that is a conflict, with the reason."""
    await service.take_turn(session)
    alert = await service.get(session, actor, alert_id, MAY)
    if not alert.firing:
        raise Conflict("this alert is over already")
    if not alert.made_by:
        raise Conflict(
            f"{alert.alertname} is the alert of a rule: it ends when the rule finds nothing any"
            " more; acknowledge it if you have it in hand, or silence it"
        )
    before = _fields(alert)
    changes = history.end(alert, episodes.exact(now()))
    await service.record(session, changes, actor, comment)
    await service.log(session, actor, alert, before, _fields(alert))
    return alert


async def lapse(session: AsyncSession) -> None:
    """End the alerts made by hand whose time is over."""
    await service.take_turn(session)
    changes = []
    for alert in await session.scalars(queries.overdue(now())):
        changes += history.end(alert, episodes.exact(alert.until or now()))
    await service.record(session, changes)


def tellings(alerts: Sequence[Alert], moment: datetime) -> list[PostedAlert]:
    """Give what Alertmanager is told of alerts made by hand, those over among them."""
    return [
        PostedAlert(
            alert.labels,
            {name: words for name, words in alert.annotations.items() if words},
            alert.starts_at,
            alert.ends_at or min(alert.until or moment + LEASE, moment + LEASE),
        )
        for alert in alerts
    ]


async def _device(session: AsyncSession, actor: Actor, data: AlertCreate) -> Device | None:
    """Give the device that the alert is about, or refuse where that is not the actor's."""
    if data.device is not None:
        return await devices.get(session, actor, data.device, MAY)
    if not actor.may_everywhere(MAY):
        raise Forbidden(f"an alert about no device takes {MAY} on everything")
    return None


async def _labels(
    session: AsyncSession, device: Device | None, data: AlertCreate
) -> dict[str, str]:
    """Give all labels, those of the device as rules have them."""
    labels = data.labels | {
        "alertname": data.alertname,
        "severity": data.severity.value,
        "source": SOURCE,
    }
    if device is None:
        return labels
    row = (await session.execute(device_queries.labels(device.id))).one()
    own = {"device": row.name} | {n: getattr(row, n) for n in ("site", "role", "vendor", "team")}
    return labels | {name: value for name, value in own.items() if value}


def _new(labels: dict[str, str], start: datetime, device: Device | None) -> Alert:
    alert = Alert(
        id=uuid4(),
        fingerprint=fingerprint(labels),
        status=AlertStatus.FIRING,
        alertname=labels["alertname"],
        severity=labels["severity"],
        device=labels.get("device", ""),
        device_id=device.id if device else None,
        site=labels.get("site", ""),
        labels=labels,
        annotations={},
        starts_at=start,
        tellings=episodes.write({start: None}),
    )
    alert.settle()
    return alert


def _fields(alert: Alert) -> dict[str, Any]:
    return {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "until": alert.until,
        "ends_at": alert.ends_at,
    }
