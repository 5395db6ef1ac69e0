"""Alerts and incidents over HTTP."""

from collections.abc import Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response

from controlplane import bodies, pagination
from controlplane.alerts import (
    acknowledgements,
    manual,
    notes,
    queries,
    reading,
    service,
    statistics,
)
from controlplane.alerts.schemas import (
    Acknowledge,
    AcknowledgeMany,
    AlertCreate,
    AlertQuery,
    AlertRead,
    Assign,
    Commented,
    IncidentQuery,
    IncidentRead,
    Ingested,
    Resolve,
    Statistics,
    StatisticsQuery,
    StepRead,
    Webhook,
)
from controlplane.alerts.watch import Holder
from controlplane.auth.dependencies import (
    CanAcknowledgeAlerts,
    CanIngestAlerts,
    CanReadAlerts,
    CanWriteAlerts,
)
from controlplane.database import Session
from controlplane.given import given
from controlplane.pagination import Page

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])
incidents = APIRouter(prefix="/api/v1/incidents", tags=["alerts"])


async def get_hold(request: Request, after: BackgroundTasks) -> Callable[[], None]:
    """Lend what has Alertmanager told once a change is committed; the worker does it anyway."""
    holder: Holder = request.app.state.alerts
    return partial(after.add_task, holder.hold)


Hold = Annotated[Callable[[], None], Depends(get_hold)]


@router.get("")
async def list_alerts(
    request: Request,
    session: Session,
    actor: CanReadAlerts,
    query: Annotated[AlertQuery, given(AlertQuery)],
) -> Page[AlertRead]:
    """List alerts, those that fire and those that are over."""
    listed = pagination.ordered(
        queries.alerts(actor, query), query.ordering, queries.ORDERING, "id"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await reading.read(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@router.post("", status_code=201, responses={200: {"description": "It fired already"}})
async def create_alert(
    data: AlertCreate,
    hold: Hold,
    response: Response,
    session: Session,
    actor: CanWriteAlerts,
) -> AlertRead:
    """Have an alert fire that no rule makes; the same labels again change the one that fires."""
    alert, new = await manual.create(session, actor, data)
    hold()
    response.status_code = 201 if new else 200
    return await reading.read_one(session, actor, alert)


@router.post("/webhook", openapi_extra=bodies.described(Webhook))
async def receive_webhook(request: Request, session: Session, _actor: CanIngestAlerts) -> Ingested:
    """Take a notification of Alertmanager."""
    data = await bodies.read(request, Webhook)
    await service.ingest(session, data.alerts)
    return Ingested(received=len(data.alerts))


@router.post("/acknowledge")
async def acknowledge_alerts(
    data: AcknowledgeMany,
    hold: Hold,
    session: Session,
    actor: CanAcknowledgeAlerts,
) -> list[AlertRead]:
    """Acknowledge several alerts, all or none."""
    alerts = await acknowledgements.acknowledge(session, actor, data.ids, data)
    hold()
    return await reading.read(session, actor, alerts)


@router.get("/statistics")
async def alert_statistics(
    session: Session, actor: CanReadAlerts, query: Annotated[StatisticsQuery, Query()]
) -> Statistics:
    """Show what fires now, and what a period came to."""
    return await statistics.gather(session, actor, query)


@router.get("/{alert_id}")
async def get_alert(alert_id: UUID, session: Session, actor: CanReadAlerts) -> AlertRead:
    """Show an alert."""
    return await reading.read_one(session, actor, await service.get(session, actor, alert_id))


@router.get("/{alert_id}/history")
async def alert_history(alert_id: UUID, session: Session, actor: CanReadAlerts) -> list[StepRead]:
    """Show what happened to an alert, the first step first."""
    alert = await service.get(session, actor, alert_id)
    return [StepRead.model_validate(s) for s in await session.scalars(queries.steps(alert.id))]


@router.post("/{alert_id}/acknowledge")
async def acknowledge_alert(
    alert_id: UUID,
    data: Acknowledge,
    hold: Hold,
    session: Session,
    actor: CanAcknowledgeAlerts,
) -> AlertRead:
    """Say that you have it: nobody else is told while it fires, or until `expires_at`."""
    (alert,) = await acknowledgements.acknowledge(session, actor, [alert_id], data)
    hold()
    return await reading.read_one(session, actor, alert)


@router.delete("/{alert_id}/acknowledge")
async def unacknowledge_alert(
    alert_id: UUID,
    hold: Hold,
    session: Session,
    actor: CanAcknowledgeAlerts,
) -> AlertRead:
    """Say that nobody has it any more."""
    alert = await acknowledgements.unacknowledge(session, actor, alert_id)
    hold()
    return await reading.read_one(session, actor, alert)


@router.put("/{alert_id}/assignee")
async def assign_alert(
    alert_id: UUID, data: Assign, session: Session, actor: CanAcknowledgeAlerts
) -> AlertRead:
    """Say who sees to it."""
    alert = await notes.assign(session, actor, alert_id, data.assignee)
    return await reading.read_one(session, actor, alert)


@router.post("/{alert_id}/comments", status_code=201)
async def comment_alert(
    alert_id: UUID, data: Commented, session: Session, actor: CanAcknowledgeAlerts
) -> AlertRead:
    """Add words to its history."""
    alert = await notes.comment(session, actor, alert_id, data.comment)
    return await reading.read_one(session, actor, alert)


@router.post("/{alert_id}/resolve")
async def resolve_alert(
    alert_id: UUID,
    data: Resolve,
    hold: Hold,
    session: Session,
    actor: CanWriteAlerts,
) -> AlertRead:
    """End an alert that was made by hand; that of a rule ends with what it is about (409)."""
    alert = await manual.resolve(session, actor, alert_id, data.comment)
    hold()
    return await reading.read_one(session, actor, alert)


@incidents.get("")
async def list_incidents(
    request: Request,
    session: Session,
    actor: CanReadAlerts,
    query: Annotated[IncidentQuery, given(IncidentQuery)],
) -> Page[IncidentRead]:
    """List incidents: alerts of one cause; their alerts are in `/alerts?incident=`."""
    listed = pagination.ordered(
        queries.incidents(actor, query), query.ordering, queries.INCIDENT_ORDERING, "id"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await reading.read_incidents(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@incidents.get("/{incident_id}")
async def get_incident(incident_id: UUID, session: Session, actor: CanReadAlerts) -> IncidentRead:
    """Show an incident."""
    return await reading.incident(session, actor, incident_id)
