"""Keep devices."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import same
from controlplane.devices import custom, inventory, mentions, names, queries, refusals
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.devices.inventory import Row
from controlplane.devices.models import Device
from controlplane.devices.schemas import DeviceCreate, DeviceRead, DeviceUpdate
from controlplane.errors import Conflict, Forbidden, NotFound

NOUN = "device"  # as the audit log has it
WRITE = Permission.DEVICES_WRITE


async def get(
    session: AsyncSession,
    actor: Actor,
    name: str,
    permission: Permission = Permission.DEVICES_READ,
) -> Device:
    """Give the device of this name; NotFound where the actor does not see it, else Forbidden."""
    device = await session.scalar(queries.device(actor, permission, name))
    if device is not None:
        return device
    if await session.scalar(queries.device(actor, Permission.DEVICES_READ, name)) is not None:
        raise Forbidden(f"you may see the device {name!r}, but lack {permission.value} there")
    raise NotFound(f"there is no device {name!r}")


async def read(session: AsyncSession, actor: Actor, device: Device) -> DeviceRead:
    """Give a device as this actor sees it."""
    found = await inventory.read(session, actor, [device])
    if not found:
        raise NotFound(f"there is no device {device.name!r} any more")
    return found[0]


async def create(session: AsyncSession, actor: Actor, data: DeviceCreate) -> DeviceRead:
    """Add a device; Prometheus picks it up at its next service-discovery refresh."""
    await events.changed(session)
    await _refuse_taken(session, data.name)
    given = data.model_dump(exclude={"name"})
    await custom.complete(session, AppliesTo.DEVICE, [given])
    row = inventory.add(data.name, given)
    device = row.device
    await inventory.write(session, actor, [row])
    created = await read(session, actor, device)
    await trail.record(session, actor, Action.CREATE, NOUN, device, after=fields(created))
    return created


async def update(
    session: AsyncSession, actor: Actor, name: str, data: DeviceUpdate, if_match: str | None = None
) -> DeviceRead:
    """Change the given fields of a device, unless it is no longer the version the actor saw."""
    await events.changed(session)
    device = await get(session, actor, name, WRITE)
    preconditions.check(device.version, if_match)
    if data.version is not None:
        preconditions.check(device.version, preconditions.etag(data.version))
    given = data.model_dump(exclude_unset=True, exclude={"version"})
    before = await read(session, actor, device)
    if not differs(before, given):
        return before
    to = given.pop("name", name)
    if to != name:
        await _refuse_taken(session, to)
        await mentions.refuse_device(session, actor, name, to)
    device.name = to
    device.version += 1
    await inventory.write(session, actor, [Row(device, given)])
    if to != name:
        await names.follow(session, device, name)
    after = await read(session, actor, device)
    was, is_ = ({"name": one.name, **fields(one)} for one in (before, after))
    await trail.record(session, actor, Action.UPDATE, NOUN, device, before=was, after=is_)
    return after


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a device behind which no other stands."""
    await events.changed(session)
    device = await get(session, actor, name, WRITE)
    preconditions.check(device.version, if_match)
    behind = queries.children(actor, device.id)
    await refusals.refuse_if_any(session, behind, f"behind {device.name!r} stand")
    before = await read(session, actor, device)
    await session.delete(device)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, NOUN, device, before=fields(before))


async def _refuse_taken(session: AsyncSession, name: str) -> None:
    if await session.scalar(queries.any_device(name)):
        raise Conflict(f"device {name!r} already exists")


def differs(current: DeviceRead, fields: Mapping[str, Any]) -> bool:
    """Say whether the fields would change the device; the order of parents means nothing."""
    for name, value in fields.items():
        was = getattr(current, name)
        if not (sorted(was) == sorted(value) if name == "parents" else same(was, value)):
            return True
    return False


def fields(device: DeviceRead) -> dict[str, Any]:
    """Give what the audit log keeps of a device."""
    return device.model_dump(exclude={"id", "name", "version", "created_at", "updated_at"})
