"""Exporters over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from controlplane.auth.dependencies import CanReadExporters, CanWriteExporters
from controlplane.database import Session
from controlplane.grammar import Name
from controlplane.settings import Settings
from controlplane.targets.exporters import service
from controlplane.targets.exporters.schemas import ExporterCreate, ExporterRead, ExporterUpdate

router = APIRouter(prefix="/api/v1/exporters", tags=["exporters"])


async def get_settings(request: Request) -> Settings:
    """Lend the settings, in which exporters may stand."""
    settings: Settings = request.app.state.settings
    return settings


Given = Annotated[Settings, Depends(get_settings)]


@router.get("")
async def list_exporters(
    session: Session, _actor: CanReadExporters, settings: Given
) -> list[ExporterRead]:
    """List the exporters, and how many devices each asks."""
    return await service.read(session, settings)


@router.post("", status_code=201)
async def create_exporter(
    data: ExporterCreate, session: Session, actor: CanWriteExporters, settings: Given
) -> ExporterRead:
    """Register an exporter; begin with `draining`, start it, then let it have its share."""
    return await service.create(session, actor, settings, data)


@router.patch("/{name}")
async def update_exporter(
    name: Name, data: ExporterUpdate, session: Session, actor: CanWriteExporters, settings: Given
) -> ExporterRead:
    """Change site or weight of an exporter, or drain it."""
    return await service.update(session, actor, settings, name, data)


@router.delete("/{name}", status_code=204)
async def delete_exporter(
    name: Name, session: Session, actor: CanWriteExporters, settings: Given
) -> None:
    """Remove an exporter; drain it first, and nothing is missed."""
    await service.delete(session, actor, settings, name)
