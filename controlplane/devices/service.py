"""Keep the inventory: sites and devices."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.database import now
from controlplane.devices import inventory, queries
from controlplane.devices.inventory import Row
from controlplane.devices.models import Device, Site
from controlplane.devices.schemas import (
    DeviceCreate,
    DeviceRead,
    DeviceUpdate,
    SiteCreate,
    SiteUpdate,
)
from controlplane.errors import Conflict, NotFound

NAMED_IN_A_REFUSAL = 5


async def get_site(session: AsyncSession, name: str) -> Site:
    """Give the site of this name, or raise NotFound."""
    site = await session.scalar(queries.site(name))
    if site is None:
        raise NotFound(f"there is no site {name!r}")
    return site


async def create_site(session: AsyncSession, data: SiteCreate) -> Site:
    """Add a site."""
    await events.changed(session)
    if await session.scalar(queries.site(data.name)):
        raise Conflict(f"site {data.name!r} already exists")
    site = Site(**data.model_dump())
    session.add(site)
    await session.flush()
    return site


async def update_site(session: AsyncSession, name: str, data: SiteUpdate) -> Site:
    """Change the given fields of a site."""
    await events.changed(session)
    site = await get_site(session, name)
    site.sqlmodel_update(data.model_dump(exclude_unset=True))
    site.updated_at = now()
    await session.flush()
    return site


async def delete_site(session: AsyncSession, name: str) -> None:
    """Remove a site at which no device stands."""
    await events.changed(session)
    site = await get_site(session, name)
    await _refuse_if_any(session, queries.residents(site.id), f"at site {site.name!r} stand")
    await session.delete(site)
    await session.flush()


async def get(session: AsyncSession, name: str) -> Device:
    """Give the device of this name, or raise NotFound."""
    device = await session.scalar(queries.device(name))
    if device is None:
        raise NotFound(f"there is no device {name!r}")
    return device


async def read(session: AsyncSession, device: Device) -> DeviceRead:
    """Give a device as people see it."""
    return (await inventory.read(session, [device]))[0]


async def create(session: AsyncSession, data: DeviceCreate) -> DeviceRead:
    """Add a device; Prometheus picks it up at its next service-discovery refresh."""
    await events.changed(session)
    if await session.scalar(queries.device(data.name)):
        raise Conflict(f"device {data.name!r} already exists")
    device = Device(name=data.name, address=data.address)
    session.add(device)
    await inventory.write(session, [Row(device, data.model_dump(exclude={"name"}))])
    return await read(session, device)


async def update(session: AsyncSession, name: str, data: DeviceUpdate) -> DeviceRead:
    """Change the given fields of a device, unless it is no longer the version the actor saw."""
    await events.changed(session)
    device = await get(session, name)
    if data.version is not None and data.version != device.version:
        raise Conflict(
            f"device {device.name!r} is at version {device.version}, not {data.version}:"
            " somebody else changed it"
        )
    fields = data.model_dump(exclude_unset=True, exclude={"version"})
    if differs(await read(session, device), fields):
        device.version += 1
        await inventory.write(session, [Row(device, fields)])
    return await read(session, device)


async def delete(session: AsyncSession, name: str) -> None:
    """Remove a device behind which no other stands."""
    await events.changed(session)
    device = await get(session, name)
    await _refuse_if_any(session, queries.children(device.id), f"behind {device.name!r} stand")
    await session.delete(device)
    await session.flush()


def differs(current: DeviceRead, fields: dict[str, Any]) -> bool:
    """Say whether the fields would change the device; the order of parents means nothing."""
    for name, value in fields.items():
        was = getattr(current, name)
        if (sorted(was) != sorted(value)) if name == "parents" else (was != value):
            return True
    return False


async def _refuse_if_any(session: AsyncSession, statement: Any, claim: str) -> None:
    names = list(await session.scalars(statement))
    if names:
        shown = ", ".join(names[:NAMED_IN_A_REFUSAL])
        more = f" and {len(names) - NAMED_IN_A_REFUSAL} more" * (len(names) > NAMED_IN_A_REFUSAL)
        raise Conflict(f"{claim} {shown}{more}")
