"""Keep device groups."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions, rows
from controlplane.audit.models import Action
from controlplane.auth import restrictor, trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.auth.roles import grants
from controlplane.auth.roles import queries as role_queries
from controlplane.database import now
from controlplane.devices import queries as device_queries
from controlplane.devices.catalogue import queries as catalogue
from controlplane.devices.catalogue.nouns import DEVICE_ROLE
from controlplane.devices.groups import queries
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.groups.schemas import (
    Filter,
    FilterRead,
    GroupChange,
    GroupCreate,
    GroupFields,
    GroupRead,
    GroupUpdate,
)
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from controlplane.rows import Key, Written

NOUN = "group"  # as the audit log has it
READ, WRITE = Permission.GROUPS_READ, Permission.GROUPS_WRITE


async def get(
    session: AsyncSession, actor: Actor, name: str, permission: Permission = READ
) -> DeviceGroup:
    """Give the group of this name; NotFound where the actor does not see it, else Forbidden."""
    group = await session.scalar(queries.group(actor, permission, name))
    if group is not None:
        return group
    if await session.scalar(queries.group(actor, READ, name)) is not None:
        raise Forbidden(f"you may see the group {name!r}, but lack {permission.value} there")
    raise NotFound(f"there is no group {name!r}")


async def read(
    session: AsyncSession, actor: Actor, groups: Sequence[DeviceGroup]
) -> list[GroupRead]:
    """Give groups as this actor sees them; a site they cannot see is none to them."""
    names: dict[UUID | None, str] = {}
    about = {group.site_id for group in groups if group.site_id}
    names.update((await session.execute(device_queries.site_names(actor, about))).tuples().all())
    return [
        GroupRead.model_validate(
            {
                **group.model_dump(),
                "filter": FilterRead(**group.model_dump(), site=names.get(group.site_id)),
            }
        )
        for group in groups
    ]


async def create(session: AsyncSession, actor: Actor, data: GroupCreate) -> GroupRead:
    """Add a group; whoever writes only at some sites groups only what stands there."""
    await events.changed(session)
    await _refuse_taken(session, data.name)
    group = await _insert(session, actor, data)
    return (await read(session, actor, [group]))[0]


async def create_many(session: AsyncSession, actor: Actor, items: Sequence[GroupCreate]) -> Written:
    """Add groups."""
    await events.changed(session)
    taken = set(await session.scalars(queries.taken([item.name for item in items])))
    if problems := [*rows.twice(items), *rows.taken(items, taken)]:
        raise Invalid(rows.NOTHING, *problems)
    return Written.of(await rows.each(items, lambda item: _insert(session, actor, item)))


async def update(
    session: AsyncSession, actor: Actor, name: str, data: GroupUpdate, if_match: str | None = None
) -> GroupRead:
    """Change a group; what it holds is another from the next query on, for grants, too."""
    await events.changed(session)
    group = await _to_change(session, actor, name, if_match)
    if data.name is not None and data.name != name:
        await _refuse_taken(session, data.name)
    return await _change(session, actor, group, data)


async def update_many(session: AsyncSession, actor: Actor, items: Sequence[GroupChange]) -> Written:
    """Change the given fields of groups."""
    await events.changed(session)
    stored = await _writable(session, actor, items)
    await rows.each(items, lambda item: _change(session, actor, stored[item.name], item))
    return Written.of([stored[item.name] for item in items])


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a group on which nobody holds a role."""
    await events.changed(session)
    await _remove(session, actor, await _to_change(session, actor, name, if_match))


async def delete_many(session: AsyncSession, actor: Actor, items: Sequence[Key]) -> None:
    """Remove groups on which nobody holds a role."""
    await events.changed(session)
    stored = await _writable(session, actor, items)
    await rows.each(items, lambda item: _remove(session, actor, stored[item.name]))


async def _writable(
    session: AsyncSession, actor: Actor, items: Sequence[Key]
) -> dict[str, DeviceGroup]:
    """Give the groups of these names to change, or refuse with every item that is not as seen."""
    names = [item.name for item in items]
    held = await session.scalars(queries.locked(queries.named(actor, WRITE, names)))
    stored = {group.name: group for group in held}
    seen = await session.scalars(queries.named(actor, READ, names))
    rows.check(items, stored, {group.name for group in seen})
    return stored


async def _insert(session: AsyncSession, actor: Actor, data: GroupCreate) -> DeviceGroup:
    group = DeviceGroup(name=data.name, description=data.description)
    await _put(session, actor, group, data.filter)
    created = (await read(session, actor, [group]))[0]
    await trail.record(session, actor, Action.CREATE, NOUN, group, after=_kept(created))
    return group


async def _change(
    session: AsyncSession, actor: Actor, group: DeviceGroup, data: GroupFields
) -> GroupRead:
    before = (await read(session, actor, [group]))[0]
    given = data.model_dump(exclude_unset=True, exclude={"version"})
    if all(_kept(before)[field] == value for field, value in given.items()):
        return before
    group.sqlmodel_update({name: given[name] for name in ("name", "description") if name in given})
    group.version += 1
    group.updated_at = now()
    if data.filter is not None and data.filter.model_dump() != before.filter.model_dump():
        await grants.refuse_beyond(session, actor, group.id)
        await _put(session, actor, group, data.filter)
    await session.flush()
    after = (await read(session, actor, [group]))[0]
    await trail.record(
        session, actor, Action.UPDATE, NOUN, group, before=_kept(before), after=_kept(after)
    )
    return after


async def _remove(session: AsyncSession, actor: Actor, group: DeviceGroup) -> None:
    if (await session.execute(role_queries.on_group(group.id).limit(1))).first() is not None:
        raise Conflict(f"somebody holds a role on group {group.name!r}; take it back first")
    before = (await read(session, actor, [group]))[0]
    await session.delete(group)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, NOUN, group, before=_kept(before))


async def _to_change(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None
) -> DeviceGroup:
    await get(session, actor, name, WRITE)
    group = await session.scalar(queries.locked(queries.any_group(name)))
    if group is None:  # removed since
        raise NotFound(f"there is no group {name!r}")
    preconditions.check(group.version, if_match)
    return group


async def _put(session: AsyncSession, actor: Actor, group: DeviceGroup, given: Filter) -> None:
    """Give a group its filter, and look at the group as it was written."""
    await _refuse_unknown(session, given.roles)
    group.site_id = await _site(session, actor, given.site)
    group.sqlmodel_update(given.model_dump(exclude={"site"}))
    session.add(group)
    await session.flush()
    await restrictor.check_group(session, actor, WRITE, group.id)


async def _refuse_taken(session: AsyncSession, name: str) -> None:
    if await session.scalar(queries.any_group(name)):
        raise Conflict(f"group {name!r} already exists")


async def _refuse_unknown(session: AsyncSession, roles: Sequence[str]) -> None:
    known = set(await session.scalars(catalogue.taken(DEVICE_ROLE, roles)))
    problems = [
        Problem(f"/filter/roles/{index}", "unknown", f"there is no {DEVICE_ROLE.words} {name!r}")
        for index, name in enumerate(roles)
        if name not in known
    ]
    if problems:
        raise Invalid("some of these device roles are not in the catalogue", *problems)


async def _site(session: AsyncSession, actor: Actor, name: str | None) -> UUID | None:
    if name is None:
        return None
    site = await session.scalar(device_queries.site(actor, Permission.SITES_READ, name))
    if site is None:
        detail = f"there is no site {name!r}"
        raise Invalid(detail, Problem("/filter/site", "unknown", detail))
    return site.id


def _kept(group: GroupRead) -> dict[str, Any]:
    return group.model_dump(include={"name", "description", "filter"})
