"""Keep the catalogue."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions, rows
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import require
from controlplane.auth.permissions import Permission
from controlplane.credentials.service import Outcome
from controlplane.database import now, same
from controlplane.devices.catalogue import queries, shapes
from controlplane.devices.catalogue.models import CustomField, Entry
from controlplane.devices.catalogue.nouns import Noun
from controlplane.devices.catalogue.schemas import Named
from controlplane.errors import Conflict, Invalid, NotFound, Problem
from controlplane.rows import Key, Written

Fields = Mapping[str, Any]

NAMED = 5  # of the objects that stand in the way

Check = Callable[[Entry], None]  # raises Invalid, of what was written


async def get(session: AsyncSession, noun: Noun, name: str) -> Entry:
    """Give the object of this name, or raise NotFound."""
    entry = await session.scalar(queries.entries(noun, name))
    if entry is None:
        raise NotFound(f"there is no {noun.words} {name!r}")
    return entry


async def create(session: AsyncSession, actor: Actor, noun: Noun, data: Named) -> Entry:
    """Add an object."""
    await events.changed(session)
    await _refuse_taken(session, noun, data.name)
    return await _insert(session, actor, noun, data)


async def create_many(
    session: AsyncSession, actor: Actor, noun: Noun, items: Sequence[Named], check: Check
) -> Written:
    """Add objects."""
    await events.changed(session)
    taken = set(await session.scalars(queries.taken(noun, [item.name for item in items])))
    if problems := [*rows.twice(items), *rows.taken(items, taken)]:
        raise Invalid(rows.NOTHING, *problems)

    async def add(item: Named) -> Entry:
        entry = await _insert(session, actor, noun, item)
        check(entry)
        return entry

    return Written.of(await rows.each(items, add))


async def update(  # noqa: PLR0917 - who changes what, and which version of it they saw
    session: AsyncSession,
    actor: Actor,
    noun: Noun,
    name: str,
    data: BaseModel,
    if_match: str | None = None,
) -> Entry:
    """Change the given fields; whatever refers to the object follows it to another name."""
    await events.changed(session)
    entry = await get(session, noun, name)
    preconditions.check(entry.version, if_match)
    given = data.model_dump(exclude_unset=True)
    if given.get("name", name) != name:
        await _refuse_taken(session, noun, given["name"])
    await _change(session, actor, noun, entry, given)
    return entry


async def update_many(
    session: AsyncSession, actor: Actor, noun: Noun, items: Sequence[Key], check: Check
) -> Written:
    """Change the given fields of objects, which keep their names."""
    await events.changed(session)
    stored = await _stored(session, noun, items)

    async def change(item: Key) -> None:
        given = item.model_dump(exclude_unset=True, exclude=set(Key.model_fields))
        await _change(session, actor, noun, stored[item.name], given)
        check(stored[item.name])

    await rows.each(items, change)
    return Written.of([stored[item.name] for item in items])


async def delete(
    session: AsyncSession, actor: Actor, noun: Noun, name: str, if_match: str | None = None
) -> None:
    """Remove an object that nothing refers to."""
    await events.changed(session)
    entry = await get(session, noun, name)
    preconditions.check(entry.version, if_match)
    await _remove(session, actor, noun, entry)


async def delete_many(
    session: AsyncSession, actor: Actor, noun: Noun, items: Sequence[Key]
) -> None:
    """Remove objects that nothing refers to."""
    await events.changed(session)
    stored = await _stored(session, noun, items)
    await rows.each(items, lambda item: _remove(session, actor, noun, stored[item.name]))


async def _stored(session: AsyncSession, noun: Noun, items: Sequence[Key]) -> dict[str, Entry]:
    """Give the objects of these names, or refuse with every item that is not as it was seen."""
    found = await session.scalars(queries.named(noun, [item.name for item in items]))
    stored = {entry.name: entry for entry in found}
    rows.check(items, stored, ())
    return stored


async def _remove(session: AsyncSession, actor: Actor, noun: Noun, entry: Entry) -> None:
    uses = (await session.execute(queries.uses(noun, entry))).mappings().one()
    if any(uses.values()):
        named = ", ".join(f"{who}: {count}" for who, count in uses.items() if count)
        raise Conflict(f"the {noun.words} {entry.name!r} is in use; what names it: {named}")
    await session.delete(entry)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, noun.words, entry, before=_kept(noun, entry))


async def problems(
    session: AsyncSession, actor: Actor, noun: Noun, items: Sequence[Named]
) -> list[Problem]:
    """Say what keeps rows from being put, each at its place among them.

    Where a row would write something the actor must be allowed to, or Forbidden is raised: what
    is wrong may tell of devices that they do not see.
    """
    found = await session.scalars(queries.named(noun, [item.name for item in items]))
    there = {entry.name: entry for entry in found}
    given = [item.model_dump(exclude_unset=True) for item in items]
    changed = [
        (index, there.get(fields["name"]), fields)
        for index, fields in enumerate(given)
        if fields["name"] not in there or _differs(noun, there[fields["name"]], fields)
    ]
    if changed:  # everywhere: it may belong to devices anywhere
        require(actor, Permission.CATALOGUE_WRITE, everywhere=True)
    return [
        problem.under(f"/{index}")
        for index, entry, fields in changed
        if entry is not None
        for problem in [*_fixed(noun, entry, fields), *await _unfit(session, actor, entry, fields)]
    ]


async def put(session: AsyncSession, actor: Actor, noun: Noun, data: Named) -> Outcome:
    """Add an object, or change the given fields, where `problems` said nothing of the row.

    The caller has counted the change.
    """
    entry = await session.scalar(queries.entries(noun, data.name))
    if entry is None:
        await _insert(session, actor, noun, data)
        return Outcome.CREATED
    given = data.model_dump(exclude_unset=True)
    changed = await _change(session, actor, noun, entry, given)
    return Outcome.UPDATED if changed else Outcome.UNCHANGED


async def _refuse_taken(session: AsyncSession, noun: Noun, name: str) -> None:
    if await session.scalar(queries.entries(noun, name)) is not None:
        raise Conflict(f"{noun.words} {name!r} already exists")


async def _insert(session: AsyncSession, actor: Actor, noun: Noun, data: Named) -> Entry:
    entry = noun.table(**data.model_dump())
    session.add(entry)
    await session.flush()
    await trail.record(session, actor, Action.CREATE, noun.words, entry, after=_kept(noun, entry))
    return entry


async def _change(
    session: AsyncSession, actor: Actor, noun: Noun, entry: Entry, given: dict[str, Any]
) -> bool:
    """Change the given fields, and say whether any differs."""
    if not _differs(noun, entry, given):
        return False
    if unfit := await _unfit(session, actor, entry, given):
        raise Invalid(unfit[0].message, *unfit)
    before = _kept(noun, entry)
    entry.sqlmodel_update(given)
    entry.version += 1
    entry.updated_at = now()
    await session.flush()
    after = _kept(noun, entry)
    await trail.record(session, actor, Action.UPDATE, noun.words, entry, before=before, after=after)
    return True


def _differs(noun: Noun, entry: Entry, given: Fields) -> bool:
    before = _kept(noun, entry)
    return not all(same(before[field], value) for field, value in given.items())


def _fixed(noun: Noun, entry: Entry, given: Fields) -> list[Problem]:
    """Say which fields would become others that no change of an object may name."""
    before = _kept(noun, entry)
    stay = noun.create.model_fields.keys() - noun.update.model_fields.keys()
    return [
        Problem(f"/{field}", "fixed", f"{entry.name!r} is there, and {field} stays {before[field]}")
        for field in sorted(stay & given.keys())
        if not same(before[field], given[field])
    ]


async def _unfit(session: AsyncSession, actor: Actor, entry: Entry, given: Fields) -> list[Problem]:
    """Say whose values, of those that are kept, would not fit another schema."""
    if not isinstance(entry, CustomField) or "value_schema" not in given:
        return []
    unfit = [
        (name, seen)
        for name, value, seen in await session.execute(queries.values(actor, entry))
        if not shapes.fits(given["value_schema"], value)
    ]
    if not unfit:
        return []
    named = [name for name, seen in unfit if seen][:NAMED]
    more = len(unfit) - len(named)
    whose = ", ".join([*named, *([f"{more} more"] if more else [])])
    return [Problem("/value_schema", "in_use", f"the values of {whose} do not fit")]


def _kept(noun: Noun, entry: Entry) -> dict[str, Any]:
    return entry.model_dump(include=set(noun.create.model_fields))
