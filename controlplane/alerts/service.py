"""Record what Alertmanager tells."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import queries
from controlplane.alerts.models import AlertStatus
from controlplane.alerts.schemas import WebhookAlert
from controlplane.database import now


async def ingest(session: AsyncSession, alerts: Sequence[WebhookAlert]) -> None:
    """Record the alerts of a webhook; one told before changes nothing."""
    rows: dict[tuple[str, Any], dict[str, Any]] = {}
    # Firing before resolved, should one webhook hold both; and always in one order, so that two
    # webhooks at once do not wait for each other.
    for alert in sorted(alerts, key=lambda a: (a.fingerprint, a.startsAt, a.status)):
        rows[alert.fingerprint, alert.startsAt] = _row(alert)
    if rows:
        await session.execute(queries.record(), list(rows.values()))


def _row(alert: WebhookAlert) -> dict[str, Any]:
    resolved = alert.status is AlertStatus.RESOLVED
    return {
        "id": uuid4(),
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "alertname": alert.labels.get("alertname", ""),
        "severity": alert.labels.get("severity", ""),
        "device": alert.labels.get("device", ""),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": alert.startsAt,
        "ends_at": alert.endsAt if resolved else None,
        "received_at": now(),
    }
