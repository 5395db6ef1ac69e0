"""Statements about registered exporters."""

from uuid import UUID

from sqlalchemy import Select
from sqlmodel import col, select

from controlplane.devices.models import Site
from controlplane.targets.exporters.models import Exporter


def exporters() -> Select[tuple[Exporter]]:
    """Select every registered exporter, by name."""
    return select(Exporter).order_by(Exporter.name)


def exporter(name: str) -> Select[tuple[Exporter]]:
    """Select the exporter of this name, to change it."""
    return select(Exporter).where(Exporter.name == name).with_for_update()


def sites() -> Select[tuple[UUID, str, UUID | None]]:
    """Select id, name and parent of every site."""
    return select(Site.id, Site.name, col(Site.parent_id))
