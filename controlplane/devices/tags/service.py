"""Rename and remove tags: on all devices that the actor may write, or on none."""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.devices import bulk
from controlplane.devices.models import Device
from controlplane.devices.tags import queries
from controlplane.errors import Forbidden, NotFound
from controlplane.rows import Written

READ, WRITE = Permission.DEVICES_READ, Permission.DEVICES_WRITE


async def rename(session: AsyncSession, actor: Actor, name: str, to: str) -> Written:
    """Call a tag something else; a device that has both afterwards has one."""
    return await _change(
        session, actor, name, lambda tags: [to if tag == name else tag for tag in tags]
    )


async def delete(session: AsyncSession, actor: Actor, name: str) -> Written:
    """Take a tag from the devices."""
    return await _change(session, actor, name, lambda tags: [tag for tag in tags if tag != name])


async def _change(
    session: AsyncSession,
    actor: Actor,
    name: str,
    changed: Callable[[Sequence[str]], Sequence[str]],
) -> Written:
    await events.changed(session)
    devices = await _carriers(session, actor, name)
    given = [{"tags": list(dict.fromkeys(changed(device.tags)))} for device in devices]
    return await bulk.change(session, actor, devices, given)


async def _carriers(session: AsyncSession, actor: Actor, name: str) -> Sequence[Device]:
    """Give the devices to write; NotFound where the actor sees none with the tag."""
    devices = list(await session.scalars(queries.carriers(actor, WRITE, name)))
    if devices:
        return devices
    if await session.scalar(queries.carriers(actor, READ, name).limit(1)) is not None:
        raise Forbidden(f"you may see devices with the tag {name!r}, but not write them")
    raise NotFound(f"there is no tag {name!r}")
