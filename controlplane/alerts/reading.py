"""Alerts and incidents as somebody may see them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import incidents, queries
from controlplane.alerts.models import Alert, Incident
from controlplane.alerts.schemas import Acknowledgement, AlertRead, IncidentOf, IncidentRead
from controlplane.auth.actor import Actor
from controlplane.errors import NotFound

Shown = tuple[Incident, Alert | None, int]


async def read(session: AsyncSession, actor: Actor, rows: Sequence[Alert]) -> list[AlertRead]:
    """Give alerts with who has them and the incidents they are part of."""
    ids = {row.incident_id for row in rows if row.incident_id is not None}
    shown = await incidents.shown(session, actor, ids) if ids else {}
    return [_alert(row, shown.get(row.incident_id) if row.incident_id else None) for row in rows]


async def read_one(session: AsyncSession, actor: Actor, row: Alert) -> AlertRead:
    """Give one alert as `read` does."""
    return (await read(session, actor, [row]))[0]


async def read_incidents(
    session: AsyncSession, actor: Actor, rows: Sequence[Incident]
) -> list[IncidentRead]:
    """Give incidents with their causes and the count of their symptoms."""
    shown = await incidents.shown(session, actor, [row.id for row in rows])
    return [
        IncidentRead(
            id=row.id,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            cause=None if cause is None else _alert(cause, shown[row.id]),
            symptoms=symptoms,
        )
        for row, cause, symptoms in (shown[row.id] for row in rows)
    ]


async def incident(session: AsyncSession, actor: Actor, incident_id: UUID) -> IncidentRead:
    """Give one incident; NotFound where the actor may hear of none of its alerts."""
    found = await session.scalar(queries.incident(actor, incident_id))
    if found is None:
        raise NotFound(f"there is no incident {incident_id}")
    return (await read_incidents(session, actor, [found]))[0]


def _alert(row: Alert, shown: Shown | None) -> AlertRead:
    read = AlertRead.model_validate(row)
    if row.acknowledged_at is not None:
        read.acknowledgement = Acknowledgement(
            by=row.acknowledged_by,
            at=row.acknowledged_at,
            comment=row.ack_comment,
            expires_at=row.ack_expires_at,
        )
    if shown is not None:
        incident, cause, symptoms = shown
        read.incident = IncidentOf(
            id=incident.id,
            is_cause=incident.cause_id == row.id,
            cause_id=cause and cause.id,
            cause=cause and cause.alertname,
            device=cause and cause.device,
            symptoms=symptoms,
        )
    return read
