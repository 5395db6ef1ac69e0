"""Statements about sites and devices."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, func, or_
from sqlmodel import col, select

from controlplane.credentials.models import Credential
from controlplane.devices.models import MONITORED, Device, DeviceCredential, DeviceParent, Site
from controlplane.devices.schemas import DeviceQuery

SITE_ORDERING = {"name": col(Site.name), "created_at": col(Site.created_at)}
DEVICE_ORDERING = {
    "name": col(Device.name),
    "address": col(Device.address),
    "role": col(Device.role),
    "vendor": col(Device.vendor),
    "status": col(Device.status),
    "created_at": col(Device.created_at),
    "updated_at": col(Device.updated_at),
}


def site(name: str) -> Select[tuple[Site]]:
    """Select the site of this name."""
    return select(Site).where(Site.name == name)


def sites(name: str | None) -> Select[tuple[Site]]:
    """Select all sites, or the one of a name."""
    return site(name) if name else select(Site)


def device(name: str) -> Select[tuple[Device]]:
    """Select the device of this name."""
    return select(Device).where(Device.name == name)


def devices(query: DeviceQuery) -> Select[tuple[Device]]:
    """Select the devices that pass the filters."""
    statement = select(Device)
    for column, value in (
        (Device.name, query.name),
        (Device.role, query.role),
        (Device.vendor, query.vendor),
        (Device.status, query.status),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    if query.site is not None:
        at = select(Site.id).where(Site.name == query.site)
        statement = statement.where(col(Device.site_id).in_(at))
    if query.q:
        statement = statement.where(
            or_(
                col(Device.name).icontains(query.q, autoescape=True),
                col(Device.address).icontains(query.q, autoescape=True),
            )
        )
    return statement


def monitored() -> Select[tuple[Device]]:
    """Select the devices that should be monitored, by name."""
    return select(Device).where(col(Device.status).in_(MONITORED)).order_by(Device.name)


def count_monitored() -> Select[tuple[int]]:
    """Count the devices that should be monitored."""
    return select(func.count()).select_from(Device).where(col(Device.status).in_(MONITORED))


def site_names() -> Select[tuple[UUID, str]]:
    """Select the id and the name of every site."""
    return select(Site.id, Site.name)


def credential_names(devices: Collection[UUID] | None) -> Select[tuple[UUID, str]]:
    """Select device and credential name, in the order of trying; of all devices for None."""
    statement = (
        select(DeviceCredential.device_id, Credential.name)
        .join(Credential, col(Credential.id) == DeviceCredential.credential_id)
        .order_by(col(DeviceCredential.device_id), col(DeviceCredential.position))
    )
    if devices is None:
        return statement
    return statement.where(col(DeviceCredential.device_id).in_(devices))


def parent_names(devices: Collection[UUID] | None) -> Select[tuple[UUID, str]]:
    """Select device and the name of a parent; of all devices for None."""
    statement = (
        select(DeviceParent.device_id, Device.name)
        .join(Device, col(Device.id) == DeviceParent.parent_id)
        .order_by(col(DeviceParent.device_id), col(Device.name))
    )
    if devices is None:
        return statement
    return statement.where(col(DeviceParent.device_id).in_(devices))


def children(of: UUID) -> Select[tuple[str]]:
    """Select the names of the devices behind a device."""
    return (
        select(Device.name)
        .join(DeviceParent, col(DeviceParent.device_id) == Device.id)
        .where(col(DeviceParent.parent_id) == of)
        .order_by(Device.name)
    )


def residents(of: UUID) -> Select[tuple[str]]:
    """Select the names of the devices at a site."""
    return select(Device.name).where(Device.site_id == of).order_by(Device.name)
