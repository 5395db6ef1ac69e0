"""Record what Alertmanager tells."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import history, queries
from controlplane.alerts.models import Alert
from controlplane.alerts.schemas import WebhookAlert

# "CHMA": webhooks take turns, so that each sees the history as the one before it left it.
LOCK = text("SELECT pg_advisory_xact_lock(1128811841)")


async def ingest(session: AsyncSession, alerts: Sequence[WebhookAlert]) -> None:
    """Record the alerts of a webhook; one told before changes nothing."""
    if not alerts:
        return
    await session.execute(LOCK)
    known: defaultdict[str, list[Alert]] = defaultdict(list)
    oldest = min(alert.startsAt for alert in alerts)
    told_about = {alert.fingerprint for alert in alerts}
    for row in await session.scalars(queries.recent(told_about, oldest)):
        known[row.fingerprint].append(row)
    # In the order in which it happened; firing before resolved, should one webhook hold both.
    for alert in sorted(alerts, key=lambda a: (a.fingerprint, a.startsAt, a.status)):
        new = history.tell(known[alert.fingerprint], alert)
        if new is not None:
            session.add(new)
            known[alert.fingerprint].append(new)
    await session.flush()
