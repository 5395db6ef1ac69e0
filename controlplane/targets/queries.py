"""Statements about what is asked: read in one sweep, as plain rows, because there are many."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Subquery, Text, cast, func, literal
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col, select

from controlplane.auth import filters
from controlplane.credentials.models import Credential
from controlplane.devices import teams
from controlplane.devices.catalogue.models import Platform
from controlplane.devices.models import MONITORED, Device, DeviceCredential, Site


def asked() -> Select[Any]:
    """Select what the exporter has to know of each monitored device, with names of credentials.

    Modules come as the text of a JSON list: most devices are as before, and nobody reads it.
    """
    return _described().where(col(Device.status).in_(MONITORED)).order_by(Device.name)


def asked_of(device: UUID) -> Select[Any]:
    """Select the same of one device, monitored or not."""
    return _described().where(col(Device.id) == device)


def _described() -> Select[Any]:
    tried, modules = _credentials(), cast(col(Device.modules), Text).label("modules")
    return teams.named(
        select(Device.name, Device.address, Device.port)
        .add_columns(func.coalesce(Device.profile, Platform.profile).label("profile"))
        .add_columns(modules, col(Device.site_id), tried.c.names)
        .add_columns(col(Site.name).label("site"), col(Device.role))
        .add_columns(filters.vendor(Device).label("vendor"))
        .outerjoin(tried, tried.c.device_id == Device.id)
        .outerjoin(Site, col(Site.id) == Device.site_id)
        .outerjoin(Platform, col(Platform.id) == Device.platform_id)
    )


def _credentials() -> Subquery:
    """Select the names by device, in order and in one text: an array is read element by element."""
    names = func.string_agg(
        col(Credential.name), aggregate_order_by(literal(","), col(DeviceCredential.position).asc())
    )
    return (
        select(DeviceCredential.device_id, names.label("names"))
        .join(Credential, col(Credential.id) == DeviceCredential.credential_id)
        .group_by(col(DeviceCredential.device_id))
        .subquery()
    )
