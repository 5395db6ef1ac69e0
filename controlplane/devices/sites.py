"""Keep sites: a tree of places where devices stand."""

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions, rows
from controlplane.audit.models import Action
from controlplane.auth import restrictor, trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.auth.roles import queries as role_queries
from controlplane.database import now, same
from controlplane.devices import custom, inventory, mentions, places, queries, refusals
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.devices.catalogue.nouns import CONTACT
from controlplane.devices.models import Site
from controlplane.devices.schemas import (
    SiteChange,
    SiteCreate,
    SiteFields,
    SiteRead,
    SiteUpdate,
)
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from controlplane.rows import Key, Written

WRITE = Permission.SITES_WRITE


async def get(
    session: AsyncSession, actor: Actor, name: str, permission: Permission = Permission.SITES_READ
) -> Site:
    """Give the site of this name; NotFound where the actor does not see it, else Forbidden."""
    site = await session.scalar(queries.site(actor, permission, name))
    if site is not None:
        return site
    if await session.scalar(queries.site(actor, Permission.SITES_READ, name)) is not None:
        raise Forbidden(f"you may see the site {name!r}, but lack {permission.value} there")
    raise NotFound(f"there is no site {name!r}")


async def read(session: AsyncSession, actor: Actor, sites: Sequence[Site]) -> list[SiteRead]:
    """Give sites as this actor sees them; a parent they cannot see is none to them."""
    above = {site.parent_id for site in sites if site.parent_id}
    visible = await session.execute(queries.site_names(actor, above))
    names: dict[UUID | None, str] = {}
    names.update(visible.tuples().all())
    return [
        SiteRead(**site.model_dump(exclude={"parent_id"}), parent=names.get(site.parent_id))
        for site in sites
    ]


async def create(session: AsyncSession, actor: Actor, data: SiteCreate) -> SiteRead:
    """Add a site; whoever writes only at some sites adds only below them."""
    await events.changed(session)
    site = await insert(session, actor, data)
    return (await read(session, actor, [site]))[0]


async def create_many(session: AsyncSession, actor: Actor, items: Sequence[SiteCreate]) -> Written:
    """Add sites; one may name another of the list as its parent."""
    await events.changed(session)
    names = [item.name for item in items]
    taken = set(await session.scalars(queries.taken_sites(names)))
    if problems := [*rows.twice(items), *rows.taken(items, taken)]:
        raise Invalid(rows.NOTHING, *problems)
    order = map(names.index, parents_first({item.name: item.parent for item in items}))
    made = await rows.each(items, lambda item: insert(session, actor, item), order)
    return Written.of(made)


async def insert(
    session: AsyncSession, actor: Actor, data: SiteCreate, *, alone: bool = True
) -> Site:
    """Add a site; the caller has counted the change.

    Of several that are not `alone` the caller has looked at where they stand in the end.
    """
    await _refuse_taken(session, data.name)
    await _refuse_unknown(session, actor, data.contacts)
    given = data.model_dump(exclude={"parent"})
    await custom.complete(session, AppliesTo.SITE, [given])
    await _refuse_unfit(session, given)
    site = Site(**given)
    site.parent_id = await _parent(session, actor, data.parent)
    session.add(site)
    await session.flush()
    if alone:
        await _refuse_misplaced(session, site)
    await restrictor.check_site(session, actor, WRITE, site.id)
    await trail.record(
        session,
        actor,
        Action.CREATE,
        "site",
        site,
        after=_fields((await read(session, actor, [site]))[0]),
    )
    return site


async def update(
    session: AsyncSession, actor: Actor, name: str, data: SiteUpdate, if_match: str | None = None
) -> SiteRead:
    """Change the given fields of a site, unless it is no longer the version the actor saw."""
    await events.changed(session)
    site = await get(session, actor, name, WRITE)
    preconditions.check(site.version, if_match)
    if data.name is not None and data.name != name:
        await _refuse_taken(session, data.name)
        await mentions.refuse_site(session, actor, name, data.name)
    await change(session, actor, site, data)
    return (await read(session, actor, [site]))[0]


async def change(
    session: AsyncSession, actor: Actor, site: Site, data: SiteFields, *, alone: bool = True
) -> bool:
    """Change the given fields, and say whether any differs; the caller has counted the change.

    Of several that are not `alone` the caller has looked at where they stand in the end.
    """
    before = _fields((await read(session, actor, [site]))[0])
    fields = data.model_dump(exclude_unset=True, exclude={"version"})
    if all(same(before[name], value) for name, value in fields.items()):
        return False
    await _refuse_unknown(session, actor, fields.get("contacts", ()))
    await _refuse_unfit(session, fields)
    if "parent" in fields:
        site.parent_id = await _parent(session, actor, fields.pop("parent"))
    site.sqlmodel_update(fields)
    site.version += 1
    site.updated_at = now()
    await session.flush()
    if alone:
        await _refuse_cycle(session, site)
        await _refuse_misplaced(session, site)
    await restrictor.check_site(session, actor, WRITE, site.id)
    after = _fields((await read(session, actor, [site]))[0])
    await trail.record(session, actor, Action.UPDATE, "site", site, before=before, after=after)
    return True


async def update_many(session: AsyncSession, actor: Actor, items: Sequence[SiteChange]) -> Written:
    """Change the given fields of sites, one after the other."""
    await events.changed(session)
    stored = await _writable(session, actor, items)
    await rows.each(items, lambda item: change(session, actor, stored[item.name], item))
    return Written.of([stored[item.name] for item in items])


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a site at which no device stands, below which no site lies and nobody holds a role."""
    await events.changed(session)
    site = await get(session, actor, name, WRITE)
    preconditions.check(site.version, if_match)
    await _remove(session, actor, site)


async def delete_many(session: AsyncSession, actor: Actor, items: Sequence[Key]) -> None:
    """Remove sites, with those of the list that lie below them."""
    await events.changed(session)
    stored = await _writable(session, actor, items)
    names = {site.id: site.name for site in stored.values()}
    above = {name: names.get(site.parent_id) for name, site in stored.items() if site.parent_id}
    order = reversed(parents_first({**dict.fromkeys(stored), **above}))
    at = {item.name: index for index, item in enumerate(items)}
    numbers = map(at.__getitem__, order)
    await rows.each(items, lambda item: _remove(session, actor, stored[item.name]), numbers)


async def _writable(session: AsyncSession, actor: Actor, items: Sequence[Key]) -> dict[str, Site]:
    """Give the sites of these names, or refuse with every item that is not as it was seen."""
    names = [item.name for item in items]
    found = await session.scalars(queries.writable_sites(actor, WRITE, names))
    seen = await session.scalars(queries.named_sites(actor, names))
    stored = {site.name: site for site in found}
    rows.check(items, stored, {site.name for site in seen})
    return stored


def parents_first(parents: Mapping[str, str | None], place: str = "") -> list[str]:
    """Give names of sites in an order in which parents come first, or raise Invalid for a cycle."""
    order = TopologicalSorter(
        {name: {above or ""} & parents.keys() for name, above in parents.items()}
    )
    try:
        return list(order.static_order())
    except CycleError as error:
        detail = f"the sites make a cycle: {' -> '.join(error.args[1])}"
        raise Invalid(detail, Problem(place, "cycle", detail)) from None


async def _remove(session: AsyncSession, actor: Actor, site: Site) -> None:
    name = site.name
    for statement, claim in (
        (queries.residents(actor, site.id), f"at site {name!r} stand"),
        (queries.parts(actor, site.id), f"below site {name!r} lie"),
        (queries.grouped(site.id), f"about site {name!r} are the groups"),
        (queries.ruled(actor, site.id), f"about site {name!r} are the alerting rules"),
    ):
        await refusals.refuse_if_any(session, statement, claim)
    if await session.scalar(role_queries.at_site(site.id).limit(1)) is not None:
        raise Conflict(f"somebody holds a role at site {name!r}; take it back first")
    before = _fields((await read(session, actor, [site]))[0])
    await session.delete(site)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, "site", site, before=before)


async def _refuse_taken(session: AsyncSession, name: str) -> None:
    if await session.scalar(queries.any_site(name)):
        raise Conflict(f"site {name!r} already exists")


async def _parent(session: AsyncSession, actor: Actor, name: str | None) -> UUID | None:
    if name is None:
        return None
    parent = await session.scalar(queries.site(actor, Permission.SITES_READ, name))
    if parent is None:
        problem = places.nowhere(name)
        raise Invalid(problem.message, problem)
    return parent.id


async def _refuse_unknown(session: AsyncSession, actor: Actor, contacts: Collection[str]) -> None:
    if not contacts:
        return
    fields = {CONTACT.field: contacts}
    known = (await inventory.look_up(session, actor, [fields])).names()
    if problems := inventory.unknown(fields, "", known):
        raise Invalid("some of these names are not in the inventory", *problems)


async def _refuse_unfit(session: AsyncSession, fields: Mapping[str, Any]) -> None:
    if custom.FIELD in fields:
        known = await custom.definitions(session, AppliesTo.SITE)
        if problems := custom.problems(known, [("", fields[custom.FIELD])]):
            raise Invalid("some values are not those of custom fields", *problems)


async def _refuse_cycle(session: AsyncSession, site: Site) -> None:
    below = restrictor.below([site.id])
    if await session.scalar(queries.among(below, site.parent_id)) is not None:
        problem = places.circular(site.name)
        raise Invalid(problem.message, problem)


async def _refuse_misplaced(session: AsyncSession, site: Site) -> None:
    """Raise Invalid where the site would be a part of a smaller one, or has a larger one in it."""
    around = (await session.execute(queries.kinds_around(site))).tuples().all()
    above = [kind for kind, is_above in around if is_above]
    below = [kind for kind, is_above in around if not is_above]
    for problem in places.misplaced(site.kind, above, below):
        raise Invalid(problem.message, problem)


def _fields(site: SiteRead) -> dict[str, Any]:
    kept = {"name", "kind", "description", "parent", "contacts", custom.FIELD}
    return site.model_dump(include=kept)
