"""On-call schedules, escalation policies and escalations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from controlplane import pagination, preconditions
from controlplane.auth.dependencies import CanReadAlerts, CanReadOncall, CanWriteOncall
from controlplane.database import Session, now
from controlplane.escalation import oncall, policies, queries, reading
from controlplane.escalation.schemas import (
    ContactRead,
    ContactWrite,
    EscalationQuery,
    EscalationRead,
    OnCall,
    OverrideRead,
    OverrideWrite,
    PolicyQuery,
    PolicyRead,
    PolicyWrite,
    ScheduleQuery,
    ScheduleRead,
    ScheduleWrite,
    TurnRead,
    TurnsQuery,
    WhoQuery,
)
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.retries.once import ONCE, Retryable

schedules = APIRouter(prefix="/api/v1/oncall/schedules", tags=["on-call"], route_class=Retryable)
contacts = APIRouter(prefix="/api/v1/oncall/contacts", tags=["on-call"])
rules = APIRouter(prefix="/api/v1/escalation/policies", tags=["escalation"], route_class=Retryable)
escalations = APIRouter(prefix="/api/v1/escalations", tags=["escalation"])


@schedules.get("")
async def list_schedules(
    request: Request,
    session: Session,
    _actor: CanReadOncall,
    query: Annotated[ScheduleQuery, given(ScheduleQuery)],
) -> Page[ScheduleRead]:
    """List schedules, each with who is on call now."""
    listed = pagination.ordered(
        queries.schedules(query), query.ordering, queries.SCHEDULE_ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = [await oncall.read(session, row) for row in rows]
    return pagination.page(request.url, query, extent, results)


@schedules.post("", status_code=201, dependencies=[ONCE])
async def create_schedule(
    data: ScheduleWrite, response: Response, session: Session, actor: CanWriteOncall
) -> ScheduleRead:
    """Add a schedule."""
    schedule = await oncall.create(session, actor, data)
    preconditions.tag(response, schedule.version)
    return await oncall.read(session, schedule)


@schedules.get("/{name}")
async def get_schedule(
    name: Name, response: Response, session: Session, _actor: CanReadOncall
) -> ScheduleRead:
    """Show a schedule."""
    schedule = await oncall.get(session, name)
    preconditions.tag(response, schedule.version)
    return await oncall.read(session, schedule)


@schedules.put("/{name}")
async def replace_schedule(
    name: Name,
    data: ScheduleWrite,
    response: Response,
    *,
    session: Session,
    actor: CanWriteOncall,
    if_match: IfMatch = None,
) -> ScheduleRead:
    """Write a schedule anew."""
    schedule = await oncall.replace(session, actor, name, data, if_match)
    preconditions.tag(response, schedule.version)
    return await oncall.read(session, schedule)


@schedules.delete("/{name}", status_code=204)
async def delete_schedule(
    name: Name, session: Session, actor: CanWriteOncall, if_match: IfMatch = None
) -> None:
    """Remove a schedule; one that a policy tells stays (409)."""
    await oncall.delete(session, actor, name, if_match)


@schedules.get("/{name}/who")
async def tell_who(
    name: Name, session: Session, _actor: CanReadOncall, query: Annotated[WhoQuery, Query()]
) -> OnCall:
    """Tell who is on call at a moment."""
    schedule = await oncall.get(session, name)
    return await oncall.who(session, schedule, query.at or now())


@schedules.get("/{name}/turns")
async def list_turns(
    name: Name, session: Session, _actor: CanReadOncall, query: Annotated[TurnsQuery, Query()]
) -> list[TurnRead]:
    """Tell who is on call over the next weeks, without gap or overlap."""
    return await oncall.turns(session, await oncall.get(session, name), query)


@schedules.get("/{name}/overrides")
async def list_overrides(name: Name, session: Session, _actor: CanReadOncall) -> list[OverrideRead]:
    """List those who stand in."""
    schedule = await oncall.get(session, name)
    found = await session.scalars(queries.overrides(schedule.id))
    return [OverrideRead.model_validate(override) for override in found]


@schedules.post("/{name}/overrides", status_code=201, dependencies=[ONCE])
async def create_override(
    name: Name, data: OverrideWrite, session: Session, actor: CanWriteOncall
) -> OverrideRead:
    """Have somebody stand in."""
    return OverrideRead.model_validate(await oncall.stand_in(session, actor, name, data))


@schedules.delete("/{name}/overrides/{override_id}", status_code=204)
async def delete_override(
    name: Name, override_id: UUID, session: Session, actor: CanWriteOncall
) -> None:
    """Have somebody no longer stand in."""
    await oncall.take_back(session, actor, name, override_id)


@contacts.get("")
async def list_contacts(session: Session, _actor: CanReadOncall) -> list[ContactRead]:
    """List the channel by which each person is told."""
    found = await session.scalars(queries.contacts())
    return [ContactRead.model_validate(contact) for contact in found]


@contacts.put("/{name}")
async def set_contact(
    name: Name, data: ContactWrite, session: Session, actor: CanWriteOncall
) -> ContactRead:
    """Say by which channel somebody is told."""
    contact = await oncall.set_contact(session, actor, name, data.channel)
    return ContactRead.model_validate(contact)


@contacts.delete("/{name}", status_code=204)
async def delete_contact(name: Name, session: Session, actor: CanWriteOncall) -> None:
    """Forget by which channel somebody is told."""
    await oncall.remove_contact(session, actor, name)


@rules.get("")
async def list_policies(
    request: Request,
    session: Session,
    _actor: CanReadOncall,
    query: Annotated[PolicyQuery, given(PolicyQuery)],
) -> Page[PolicyRead]:
    """List escalation policies, in the order in which they are asked."""
    listed = pagination.ordered(
        queries.policies(query), query.ordering, queries.POLICY_ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, [policies.read(row) for row in rows])


@rules.post("", status_code=201, dependencies=[ONCE])
async def create_policy(
    data: PolicyWrite, response: Response, session: Session, actor: CanWriteOncall
) -> PolicyRead:
    """Add an escalation policy."""
    policy = await policies.create(session, actor, data)
    preconditions.tag(response, policy.version)
    return policies.read(policy)


@rules.get("/{name}")
async def get_policy(
    name: Name, response: Response, session: Session, _actor: CanReadOncall
) -> PolicyRead:
    """Show an escalation policy."""
    policy = await policies.get(session, name)
    preconditions.tag(response, policy.version)
    return policies.read(policy)


@rules.put("/{name}")
async def replace_policy(
    name: Name,
    data: PolicyWrite,
    response: Response,
    *,
    session: Session,
    actor: CanWriteOncall,
    if_match: IfMatch = None,
) -> PolicyRead:
    """Write an escalation policy anew."""
    policy = await policies.replace(session, actor, name, data, if_match)
    preconditions.tag(response, policy.version)
    return policies.read(policy)


@rules.delete("/{name}", status_code=204)
async def delete_policy(
    name: Name, session: Session, actor: CanWriteOncall, if_match: IfMatch = None
) -> None:
    """Remove an escalation policy."""
    await policies.delete(session, actor, name, if_match)


@escalations.get("")
async def list_escalations(
    request: Request,
    session: Session,
    actor: CanReadAlerts,
    query: Annotated[EscalationQuery, given(EscalationQuery)],
) -> Page[EscalationRead]:
    """List how far alerts were escalated, and who was told."""
    listed = pagination.ordered(
        queries.escalations(actor, query), query.ordering, queries.ORDERING, "id"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await reading.read(session, rows)
    return pagination.page(request.url, query, extent, results)
