"""What a webhook's alert means for the history: a new outage, the same one, its end, or nothing.

Alertmanager names an alert by its fingerprint and its start. But the start is only as old as the
memory of who tells: after a restart of Prometheus, and then of Alertmanager, the outage that goes
on is told with a new one. So at most one row of a fingerprint fires, and outages do not overlap.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from controlplane.alerts.models import Alert, AlertStatus
from controlplane.alerts.schemas import WebhookAlert
from controlplane.database import now


def tell(known: Sequence[Alert], told: WebhookAlert) -> Alert | None:
    """Apply an alert to the rows of its fingerprint; give the row to add, where it is a new one.

    A webhook may come twice, late, or in the wrong order: that changes nothing.
    """
    firing = next((row for row in known if row.status is AlertStatus.FIRING), None)
    if any(_covers(row, told) for row in known if row is not firing):
        return None
    if told.status is AlertStatus.FIRING:
        return None if firing else Alert(**_fields(told))
    if firing is None or firing.starts_at > _end(told):
        return Alert(**_fields(told))
    firing.status = AlertStatus.RESOLVED
    firing.ends_at = _end(told)
    firing.annotations = told.annotations
    firing.received_at = now()
    return None


def _covers(over: Alert, told: WebhookAlert) -> bool:
    """Say whether what is told belongs to an outage that is over."""
    starts_within = over.ends_at is not None and over.starts_at <= told.startsAt < over.ends_at
    return over.starts_at == told.startsAt or starts_within


def _end(told: WebhookAlert) -> Any:
    return told.endsAt or told.startsAt


def _fields(told: WebhookAlert) -> dict[str, Any]:
    resolved = told.status is AlertStatus.RESOLVED
    return {
        "id": uuid4(),
        "fingerprint": told.fingerprint,
        "status": told.status,
        "alertname": told.labels.get("alertname", ""),
        "severity": told.labels.get("severity", ""),
        "device": told.labels.get("device", ""),
        "labels": told.labels,
        "annotations": told.annotations,
        "starts_at": told.startsAt,
        "ends_at": _end(told) if resolved else None,
        "received_at": now(),
    }
