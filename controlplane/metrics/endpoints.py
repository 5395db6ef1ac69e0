"""Thresholds over HTTP, and the scrape of intent."""

from functools import partial

from fastapi import APIRouter, Request, Response

from controlplane import database
from controlplane.auth.dependencies import (
    CanReadIntent,
    CanReadThresholds,
    CanWriteAllThresholds,
    CanWriteThresholds,
)
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.devices import service as devices
from controlplane.grammar import Name
from controlplane.metrics import service
from controlplane.metrics.exposition import CONTENT_TYPE
from controlplane.metrics.intent import Live
from controlplane.metrics.models import Metric, Severity
from controlplane.metrics.schemas import ThresholdRead, ThresholdWrite
from controlplane.metrics.thresholds import Key

thresholds = APIRouter(prefix="/api/v1/thresholds", tags=["thresholds"])
device_thresholds = APIRouter(prefix="/api/v1/devices/{name}/thresholds", tags=["thresholds"])
intent = APIRouter(tags=["intent"])


@thresholds.get("")
async def list_thresholds(session: Session, _actor: CanReadThresholds) -> list[ThresholdRead]:
    """Show what is in force for devices without thresholds of their own."""
    return service.read(await service.in_force(session, None))


@thresholds.put("/{metric}/{severity}")
async def put_threshold(
    metric: Metric,
    severity: Severity,
    data: ThresholdWrite,
    session: Session,
    actor: CanWriteAllThresholds,
) -> ThresholdRead:
    """Set a threshold for all devices without one of their own."""
    return await service.put(session, actor, None, Key(metric, severity), data.value)


@thresholds.delete("/{metric}/{severity}", status_code=204)
async def delete_threshold(
    metric: Metric, severity: Severity, session: Session, actor: CanWriteAllThresholds
) -> None:
    """Return to the default."""
    await service.remove(session, actor, None, Key(metric, severity))


@device_thresholds.get("")
async def list_device_thresholds(
    name: Name, session: Session, actor: CanReadThresholds
) -> list[ThresholdRead]:
    """Show what is in force for a device."""
    device = await devices.get(session, actor, name, Permission.THRESHOLDS_READ)
    return service.read(await service.in_force(session, device))


@device_thresholds.put("/{metric}/{severity}")
async def put_device_threshold(
    name: Name,
    metric: Metric,
    severity: Severity,
    *,
    data: ThresholdWrite,
    session: Session,
    actor: CanWriteThresholds,
) -> ThresholdRead:
    """Set a threshold for one device."""
    device = await devices.get(session, actor, name, Permission.THRESHOLDS_WRITE)
    return await service.put(session, actor, device, Key(metric, severity), data.value)


@device_thresholds.delete("/{metric}/{severity}", status_code=204)
async def delete_device_threshold(
    name: Name, metric: Metric, severity: Severity, session: Session, actor: CanWriteThresholds
) -> None:
    """Take a device's own threshold back."""
    device = await devices.get(session, actor, name, Permission.THRESHOLDS_WRITE)
    await service.remove(session, actor, device, Key(metric, severity))


@intent.get("/metrics/intent", include_in_schema=False)
async def scrape_intent(request: Request, _actor: CanReadIntent) -> Response:
    """Expose what should be so: devices, ways, thresholds, and what is in maintenance now."""
    state = request.app.state
    lend = partial(database.reading, state.sessions)
    content: bytes = await state.intent.recent(state.watch, lend)
    live: Live = await state.live_intent.recent(state.watch, lend)
    return Response(content + live.content, headers={"Content-Type": CONTENT_TYPE})
