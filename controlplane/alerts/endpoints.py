"""Alerts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from controlplane import bodies, pagination
from controlplane.alerts import queries, service
from controlplane.alerts.schemas import AlertQuery, AlertRead, Ingested, Webhook
from controlplane.auth.dependencies import CanIngestAlerts, CanReadAlerts
from controlplane.database import Session
from controlplane.pagination import Page

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


@router.get("")
async def list_alerts(
    request: Request,
    session: Session,
    actor: CanReadAlerts,
    query: Annotated[AlertQuery, Query()],
) -> Page[AlertRead]:
    """List alerts, those that fire and those that are over."""
    statement = pagination.ordered(
        queries.alerts(actor, query), query.ordering, queries.ORDERING, "id"
    )
    count, rows = await pagination.fetch(session, statement, query)
    return pagination.page(request.url, query, count, [AlertRead.model_validate(r) for r in rows])


@router.post("/webhook", openapi_extra=bodies.described(Webhook))
async def receive_webhook(request: Request, session: Session, _actor: CanIngestAlerts) -> Ingested:
    """Take a notification of Alertmanager."""
    data = await bodies.read(request, Webhook)
    await service.ingest(session, data.alerts)
    return Ingested(received=len(data.alerts))
