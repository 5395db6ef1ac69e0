"""The inbox of each person: what Alertmanager told, of the devices that they may hear of."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.devices import names
from controlplane.devices.names import Holders
from controlplane.errors import NotFound
from controlplane.notifications import queries
from controlplane.notifications.models import Notice
from controlplane.notifications.routing import TEST_ALERT
from controlplane.notifications.schemas import InboxAlert, NoticeItem, NoticeQuery

KEPT = timedelta(days=30)
AT_ONCE = 1000  # rows of one statement


async def receive(session: AsyncSession, alerts: Sequence[InboxAlert]) -> int:
    """Add what Alertmanager told; told again, or late, it changes nothing. Give how many came."""
    holders = await names.holders(session, {alert.labels.get("device", "") for alert in alerts})
    rows = {
        (alert.fingerprint, alert.startsAt): _row(alert, holders) for alert in _in_order(alerts)
    }
    told = [rows[key] for key in sorted(rows)]  # two who tell the same never wait for each other
    for start in range(0, len(told), AT_ONCE):
        await session.execute(queries.tell(told[start : start + AT_ONCE]))
    return len(told)


async def items(session: AsyncSession, actor: Actor, notices: Sequence[Notice]) -> list[NoticeItem]:
    """Give notices with whether the actor has read them."""
    seen = set(await session.scalars(queries.reads(actor.id)))
    return [
        NoticeItem.model_validate({**notice.model_dump(), "read": notice.id in seen})
        for notice in notices
    ]


async def read_one(session: AsyncSession, actor: Actor, notice: UUID) -> None:
    """Remember that the actor has read a notice of their inbox, or raise NotFound."""
    if await session.scalar(queries.visible(actor, notice)) is None:
        raise NotFound("there is no such notice")
    await session.execute(queries.mark([_mark(actor, notice)]))


async def read_all(session: AsyncSession, actor: Actor) -> int:
    """Remember that the actor has read all that is in their inbox; give how many were new."""
    unread = [n.id for n in await session.scalars(queries.inbox(actor, NoticeQuery(read=False)))]
    for start in range(0, len(unread), AT_ONCE):
        marks = [_mark(actor, notice) for notice in unread[start : start + AT_ONCE]]
        await session.execute(queries.mark(marks))
    return len(unread)


async def forget(session: AsyncSession) -> None:
    """Remove notices of outages that have been over for long."""
    await session.execute(queries.old(now() - KEPT))


def _in_order(alerts: Sequence[InboxAlert]) -> list[InboxAlert]:
    """Give the alerts that are about something, the resolved ones last."""
    told = [alert for alert in alerts if alert.labels.get("alertname") != TEST_ALERT]
    return sorted(told, key=lambda alert: alert.status)


def _mark(actor: Actor, notice: UUID) -> dict[str, Any]:
    return {"notice_id": notice, "reader_id": actor.id, "read_at": now()}


def _row(alert: InboxAlert, holders: Holders) -> dict[str, Any]:
    labels, annotations = alert.labels, alert.annotations
    device = labels.get("device", "")
    holder = holders.at(device, alert.startsAt)
    return {
        "id": uuid4(),
        "fingerprint": alert.fingerprint,
        "alertname": labels.get("alertname", ""),
        "severity": labels.get("severity", ""),
        "device": holder.name if holder else device,
        "device_id": holder and holder.id,
        "site": labels.get("site", ""),
        **{name: annotations.get(name, "") for name in queries.WORDS},
        "runbook_url": annotations.get("runbook_url", ""),
        "dashboard_url": annotations.get("dashboard_url", ""),
        "starts_at": alert.startsAt,
        "ends_at": (alert.endsAt or alert.startsAt) if alert.status == "resolved" else None,
        "received_at": now(),
    }
