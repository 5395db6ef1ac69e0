"""Keep what operators say of interfaces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions, rows
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.credentials.service import Outcome
from controlplane.database import now, plain
from controlplane.devices import facts
from controlplane.devices.interfaces import queries
from controlplane.devices.interfaces.models import Interface
from controlplane.devices.interfaces.queries import SHOWN, Key
from controlplane.devices.interfaces.schemas import (
    InterfaceChange,
    InterfaceDetail,
    InterfaceRead,
    InterfaceRow,
    InterfaceUpdate,
    NoteRead,
)
from controlplane.errors import Forbidden, NotFound, Problem
from controlplane.rows import Written

NOUN = "interface"  # as the audit log has it
READ, WRITE = Permission.DEVICES_READ, Permission.DEVICES_WRITE
OURS = tuple(InterfaceUpdate.model_fields)
CHANGES = 10  # of an interface that are shown


@dataclass
class Subject:
    """An interface as the audit log names it."""

    id: UUID
    name: str


async def get(
    session: AsyncSession, actor: Actor, id_: UUID, permission: Permission = READ
) -> Interface:
    """Give the interface of this id; NotFound where the actor does not see it, else Forbidden."""
    interface = await session.scalar(queries.interface(actor, permission, id_))
    if interface is not None:
        return interface
    if await session.scalar(queries.interface(actor, READ, id_)) is not None:
        raise Forbidden(f"you may see this interface, but lack {permission.value} there")
    raise NotFound(f"there is no interface {str(id_)!r}")


async def find(session: AsyncSession, actor: Actor, device: str, name: str) -> Interface:
    """Give the interface of this device and name, or raise NotFound."""
    interface = await session.scalar(queries.keyed(actor, READ, [(device, name)]))
    if interface is None:
        raise NotFound(_unknown(device, name))
    return interface


async def shown(session: AsyncSession, ids: Sequence[UUID]) -> list[InterfaceRead]:
    """Give the interfaces of these ids as people see them; one that is gone by now is left out."""
    found = {row.id: row for row in await plain(session, queries.SHOWING, {"interfaces": ids})}
    return [
        InterfaceRead(
            **dict(zip(SHOWN, found[id_], strict=False)),
            site=found[id_].site,
            disagrees=_disagreements(found[id_]),
        )
        for id_ in ids
        if id_ in found
    ]


async def detail(session: AsyncSession, interface: Interface) -> InterfaceDetail:
    """Give one interface with what has changed about it."""
    (seen,) = await shown(session, [interface.id])
    changes = await session.scalars(queries.changes(interface.id, CHANGES))
    return InterfaceDetail(
        **seen.model_dump(), changes=[NoteRead(**change.model_dump()) for change in changes]
    )


async def update(
    session: AsyncSession,
    actor: Actor,
    id_: UUID,
    data: InterfaceUpdate,
    if_match: str | None = None,
) -> InterfaceDetail:
    """Change the given fields, unless it is no longer the version the actor saw."""
    await events.changed(session)
    interface = await get(session, actor, id_, WRITE)
    preconditions.check(interface.version, if_match)
    await _change(session, actor, interface, data)
    await session.flush()
    return await detail(session, interface)


async def update_many(
    session: AsyncSession, actor: Actor, items: Sequence[InterfaceChange]
) -> Written:
    """Change all interfaces of a list, or none and every error of every item."""
    await events.changed(session)
    keys = [(item.device, item.name) for item in items]
    found = {_called(o): o for o in await session.scalars(queries.keyed(actor, WRITE, keys))}
    seen = {_called(o) for o in await session.scalars(queries.keyed(actor, READ, keys))}
    asked = [_Asked(_called(item), item.version) for item in items]
    rows.check(asked, found, seen)
    changed = [found[item.name] for item in asked]
    for interface, item in zip(changed, items, strict=True):
        await _change(session, actor, interface, item)
    await session.flush()
    return Written.of(changed)


async def problems(
    session: AsyncSession, actor: Actor, items: Sequence[InterfaceRow]
) -> list[Problem]:
    """Say which rows of a document are about no interface that this actor may change."""
    asked = [(item.device, item.name) for item in items]
    writable = await _among(session, actor, WRITE, asked)
    others = [key for key in asked if key not in writable]
    seen = await _among(session, actor, READ, others)
    found = list(rows.twice([_Asked(_called(item)) for item in items]))
    for index, (device, name) in enumerate(asked):
        if (device, name) in seen:
            message = f"you may see the interface {name!r} of {device!r}, but not change it"
            found.append(Problem(f"/{index}/name", "forbidden", message))
        elif (device, name) not in writable:
            found.append(Problem(f"/{index}/name", "unknown", _unknown(device, name)))
    return found


async def put(session: AsyncSession, actor: Actor, items: Sequence[InterfaceRow]) -> list[Outcome]:
    """Change interfaces of which `problems` said nothing; the caller has counted the change."""
    asked = [(item.device, item.name) for item in items]
    found = {_called(o): o for o in await session.scalars(queries.keyed(actor, WRITE, asked))}
    changed = [await _change(session, actor, found[_called(item)], item) for item in items]
    await session.flush()
    return [Outcome.UPDATED if one else Outcome.UNCHANGED for one in changed]


async def _among(
    session: AsyncSession, actor: Actor, permission: Permission, keys: Sequence[Key]
) -> set[Key]:
    if not keys:
        return set()
    found = await session.execute(queries.keys(actor, permission, keys))
    return set(found.tuples().all())


def _unknown(device: str, name: str) -> str:
    return f"there is no interface {name!r} of a device {device!r}"


@dataclass(frozen=True)
class _Asked:
    """An item of a list under one name."""

    name: str
    version: int | None = None


def _called(one: Interface | InterfaceRow) -> str:
    """Name an interface together with its device."""
    return f"{one.device} {one.name}"


async def _change(
    session: AsyncSession, actor: Actor, interface: Interface, data: InterfaceUpdate
) -> bool:
    """Change the given fields, and say whether any differs."""
    before = _kept(interface)
    given = data.model_dump(exclude_unset=True, include=set(OURS))
    if all(before[name] == value for name, value in given.items()):
        return False
    interface.sqlmodel_update(given)
    interface.version += 1
    interface.updated_at = now()
    subject = Subject(interface.id, _called(interface))
    after = _kept(interface)
    await trail.record(session, actor, Action.UPDATE, NOUN, subject, before=before, after=after)
    return True


def _kept(interface: Interface) -> dict[str, Any]:
    return {name: getattr(interface, name) for name in OURS}


def _disagreements(interface: Row[Any]) -> list[str]:
    """Name what an operator says otherwise than the device."""
    differ = facts.differ(interface.description, interface.alias)
    return ["description"] if differ else []
