"""Devices in bulk: all of a list, or none and every error of every item; few statements for all."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete as removal
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from controlplane import events, rows
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import one_of, same
from controlplane.devices import custom, inventory, queries, service
from controlplane.devices.addresses import Reach
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.devices.document import SWEEP
from controlplane.devices.inventory import Fields, Row
from controlplane.devices.models import Device, DeviceParent
from controlplane.devices.schemas import DeviceChange, DeviceCreate, DeviceRead
from controlplane.errors import Conflict, Invalid, Problem
from controlplane.rows import NOTHING, Key, Written


async def create(
    session: AsyncSession, actor: Actor, reach: Reach, items: Sequence[DeviceCreate]
) -> Written:
    """Add devices; one may name another of the list as its parent."""
    await events.changed(session)
    names = [item.name for item in items]
    given = [item.model_dump(exclude={"name"}) for item in items]
    await custom.complete(session, AppliesTo.DEVICE, given)
    problems = [
        *rows.twice(items),
        *rows.taken(items, set(await session.scalars(queries.taken(names)))),
        *_unreachable(reach, given),
        *await _unknown(session, actor, given, names),
        *await inventory.unfit(
            session, [(f"/{i}", row[custom.FIELD]) for i, row in enumerate(given)]
        ),
    ]
    if problems:
        raise Invalid(NOTHING, *problems)
    made = [
        inventory.add(name, fields, f"/{index}")
        for index, (name, fields) in enumerate(zip(names, given, strict=True))
    ]
    await inventory.write(session, actor, made)
    for row in made:
        await trail.record(
            session, actor, Action.CREATE, service.NOUN, row.device, after=row.fields
        )
    return Written.of([row.device for row in made])


async def update(
    session: AsyncSession, actor: Actor, reach: Reach, items: Sequence[DeviceChange]
) -> Written:
    """Change the given fields of devices; an item with a `version` only if it is that still."""
    await events.changed(session)
    stored = await _writable(session, actor, items)
    given = [item.model_dump(exclude_unset=True, exclude={"name", "version"}) for item in items]
    values = [
        (f"/{index}", fields[custom.FIELD])
        for index, (device, fields) in enumerate(zip(stored, given, strict=True))
        if custom.FIELD in fields and not same(device.custom_fields, fields[custom.FIELD])
    ]
    problems = [
        *_unreachable(reach, given),
        *await _unknown(session, actor, given, ()),
        *await inventory.unfit(session, values),
    ]
    if problems:
        raise Invalid(NOTHING, *problems)
    return await change(session, actor, stored, given)


async def change(
    session: AsyncSession, actor: Actor, stored: Sequence[Device], given: Sequence[Fields]
) -> Written:
    """Give each device its fields; the caller has counted the change, and checked all of them."""
    before = await _read(session, actor, stored)
    changed = [
        Row(device, fields, f"/{index}")
        for index, (device, fields) in enumerate(zip(stored, given, strict=True))
        if service.differs(before[device.id], fields)
    ]
    for row in changed:
        row.device.version += 1
    await inventory.write(session, actor, changed)
    for row in changed:
        old = service.fields(before[row.device.id])
        after = {**old, **row.fields}
        await trail.record(
            session, actor, Action.UPDATE, service.NOUN, row.device, before=old, after=after
        )
    return Written.of(stored)


async def delete(session: AsyncSession, actor: Actor, items: Sequence[Key]) -> None:
    """Remove devices; those behind which others stand that stay are told, and none is removed."""
    await events.changed(session)
    stored = await _writable(session, actor, items)
    await _refuse_parents(session, actor, stored)
    before = await _read(session, actor, stored)
    ids = [device.id for device in stored]
    # A parent is not removed before the ways that lead through it, also if those go as well.
    await session.execute(removal(DeviceParent).where(one_of(col(DeviceParent.device_id), ids)))
    await session.execute(removal(Device).where(one_of(col(Device.id), ids)))
    for device in stored:
        old = service.fields(before[device.id])
        await trail.record(session, actor, Action.DELETE, service.NOUN, device, before=old)


async def _writable(session: AsyncSession, actor: Actor, items: Sequence[Key]) -> list[Device]:
    """Give the device of each item, or refuse with every item that is not as its writer saw it."""
    names = [item.name for item in items]
    found = {d.name: d for d in await session.scalars(queries.named(actor, service.WRITE, names))}
    seen = await session.execute(queries.known(actor, Permission.DEVICES_READ, names))
    rows.check(items, found, {name for name, _ in seen})
    return [found[name] for name in names]


async def _read(
    session: AsyncSession, actor: Actor, devices: Sequence[Device]
) -> dict[UUID, DeviceRead]:
    every = len(devices) > SWEEP
    return {d.id: d for d in await inventory.read(session, actor, devices, every=every)}


def _unreachable(reach: Reach, given: Iterable[Fields]) -> list[Problem]:
    addresses = [(f"/{index}/address", row.get("address")) for index, row in enumerate(given)]
    return reach.problems(addresses)


async def _unknown(
    session: AsyncSession, actor: Actor, given: Sequence[Fields], new: Iterable[str]
) -> list[Problem]:
    """Find the names that are neither in the inventory nor those of new devices."""
    known = (await inventory.look_up(session, actor, given)).names()
    known["device"] = {*known["device"], *new}
    return [
        problem
        for index, row in enumerate(given)
        for problem in inventory.unknown(row, f"/{index}", known)
    ]


async def _refuse_parents(session: AsyncSession, actor: Actor, devices: Sequence[Device]) -> None:
    places = {device.id: index for index, device in enumerate(devices)}
    behind: dict[UUID, list[str]] = {}
    for parent, name, visible in await session.execute(queries.left_behind(actor, places)):
        behind.setdefault(parent, []).extend([name] if visible else [])
    problems = [
        Problem(
            f"/{places[parent]}/name",
            "in_use",
            f"behind {devices[places[parent]].name!r} stand"
            f" {', '.join(names[:5]) or 'devices that you do not see'}",
        )
        for parent, names in sorted(behind.items(), key=lambda item: places[item[0]])
    ]
    if problems:
        raise Conflict("nothing was removed: some of these are the way to others", *problems)
