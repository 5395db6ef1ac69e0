"""Keep schedules, those who stand in, and the channels of people."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import preconditions
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.errors import Conflict, Invalid, NotFound, Problem
from controlplane.escalation import channels, queries, rotation
from controlplane.escalation.models import Contact, Override, Schedule
from controlplane.escalation.rotation import Rota
from controlplane.escalation.schemas import (
    LayerFields,
    OnCall,
    OverrideWrite,
    ScheduleRead,
    ScheduleWrite,
    TurnRead,
    TurnsQuery,
)

NOUN = "oncall_schedule"


async def get(session: AsyncSession, name: str) -> Schedule:
    """Give the schedule of this name, or raise NotFound."""
    return _there(await session.scalar(queries.schedule(name)), name)


async def create(session: AsyncSession, actor: Actor, data: ScheduleWrite) -> Schedule:
    """Add a schedule."""
    if await session.scalar(queries.schedule(data.name)) is not None:
        raise Conflict(f"schedule {data.name!r} already exists")
    schedule = Schedule(name=data.name, layers=[])
    await _write(session, schedule, data)
    session.add(schedule)
    await session.flush()
    await trail.record(session, actor, Action.CREATE, NOUN, schedule, after=_fields(schedule))
    return schedule


async def replace(
    session: AsyncSession, actor: Actor, name: str, data: ScheduleWrite, if_match: str | None = None
) -> Schedule:
    """Write a schedule anew; those who stand in stay."""
    schedule = await _seen(session, name, if_match)
    if data.name != name and await session.scalar(queries.schedule(data.name)) is not None:
        raise Conflict(f"schedule {data.name!r} already exists")
    before = _fields(schedule)
    await _write(session, schedule, data)
    schedule.version += 1
    schedule.updated_at = now()
    await session.flush()
    await trail.record(
        session, actor, Action.UPDATE, NOUN, schedule, before=before, after=_fields(schedule)
    )
    return schedule


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a schedule that no policy tells."""
    schedule = await _seen(session, name, if_match)
    for policy in await session.scalars(queries.in_order()):
        if any(name in step["schedules"] for step in policy.options["steps"]):
            raise Conflict(f"policy {policy.name!r} tells whoever is on call by {name!r}")
    await session.delete(schedule)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, NOUN, schedule, before=_fields(schedule))


async def rota(session: AsyncSession, schedule: Schedule) -> Rota:
    """Give a schedule with those who stand in."""
    stand_ins = await session.scalars(queries.overrides(schedule.id))
    return Rota(
        schedule.time_zone,
        tuple(LayerFields.model_validate(layer).layer() for layer in schedule.layers),
        tuple(rotation.Override(o.person, o.starts_at, o.ends_at) for o in stand_ins),
    )


async def who(session: AsyncSession, schedule: Schedule, moment: datetime) -> OnCall:
    """Give who is on call at a moment, and how they are told."""
    person = (await rota(session, schedule)).who(moment)
    contact = await session.get(Contact, person) if person is not None else None
    return OnCall(at=moment, person=person, channel=contact.channel if contact else None)


async def turns(session: AsyncSession, schedule: Schedule, query: TurnsQuery) -> list[TurnRead]:
    """Give who is on call over a time, as it stands now."""
    after = query.after or now()
    found = (await rota(session, schedule)).turns(after, after + timedelta(days=query.days))
    return [TurnRead.model_validate(turn) for turn in found]


async def read(session: AsyncSession, schedule: Schedule) -> ScheduleRead:
    """Give a schedule as people see it."""
    on_call = (await rota(session, schedule)).who(now())
    return ScheduleRead(**schedule.model_dump(exclude={"id"}), on_call=on_call)


async def stand_in(session: AsyncSession, actor: Actor, name: str, data: OverrideWrite) -> Override:
    """Have somebody stand in on a schedule."""
    schedule = await get(session, name)
    await _refuse_strangers(session, [data.person], "/person")
    override = Override(schedule_id=schedule.id, created_by=actor.name, **data.model_dump())
    session.add(override)
    await session.flush()
    await _record_override(session, actor, Action.CREATE, schedule, override)
    return override


async def take_back(session: AsyncSession, actor: Actor, name: str, override_id: UUID) -> None:
    """Have somebody no longer stand in."""
    schedule = await get(session, name)
    override = await session.get(Override, override_id)
    if override is None or override.schedule_id != schedule.id:
        raise NotFound(f"nobody stands in on {name!r} by this id")
    await session.delete(override)
    await session.flush()
    await _record_override(session, actor, Action.DELETE, schedule, override)


async def set_contact(session: AsyncSession, actor: Actor, person: str, channel: str) -> Contact:
    """Say by which channel somebody is told."""
    await _refuse_strangers(session, [person], "/person")
    await channels.refuse_unknown(session, [("/channel", channel)])
    known = await session.get(Contact, person)
    before = {"channel": known.channel} if known else None
    contact = await session.merge(Contact(person=person, channel=channel))
    await session.flush()
    await _record_contact(session, actor, person, before, {"channel": channel})
    return contact


async def remove_contact(session: AsyncSession, actor: Actor, person: str) -> None:
    """Forget by which channel somebody is told."""
    contact = await session.get(Contact, person)
    if contact is None:
        raise NotFound(f"no channel is known for {person!r}")
    await session.delete(contact)
    await session.flush()
    await _record_contact(session, actor, person, {"channel": contact.channel}, None)


async def _seen(session: AsyncSession, name: str, if_match: str | None) -> Schedule:
    """Give what is to be changed, if it is still the version that the actor saw."""
    schedule = _there(await session.scalar(queries.locked_schedule(name)), name)
    preconditions.check(schedule.version, if_match)
    return schedule


def _there(schedule: Schedule | None, name: str) -> Schedule:
    if schedule is None:
        raise NotFound(f"there is no schedule {name!r}")
    return schedule


async def _write(session: AsyncSession, schedule: Schedule, data: ScheduleWrite) -> None:
    people = {person for layer in data.layers for person in layer.people}
    await _refuse_strangers(session, people, "/layers")
    schedule.sqlmodel_update(data.model_dump(mode="json"))


async def _refuse_strangers(session: AsyncSession, people: Collection[str], field: str) -> None:
    known = set(await session.scalars(queries.people(people)))
    problems = [
        Problem(field, "unknown", f"there is no user {p!r}") for p in people if p not in known
    ]
    if problems:
        raise Invalid(problems[0].message, *problems)


async def _record_override(
    session: AsyncSession, actor: Actor, action: Action, schedule: Schedule, override: Override
) -> None:
    fields = override.model_dump(mode="json", include={"person", "starts_at", "ends_at"})
    side: dict[str, Any] = {"before" if action is Action.DELETE else "after": fields}
    await trail.record(session, actor, action, "oncall_override", schedule, **side)


async def _record_contact(
    session: AsyncSession,
    actor: Actor,
    person: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    await audit.record(
        session,
        Action.DELETE if after is None else Action.UPDATE,
        who=actor.who,
        object_type="oncall_contact",
        object_name=person,
        before=before,
        after=after,
    )


def _fields(schedule: Schedule) -> dict[str, Any]:
    return schedule.model_dump(include={*ScheduleWrite.model_fields})
