"""Keep escalation policies."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import preconditions
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.errors import Conflict, Invalid, NotFound, Problem
from controlplane.escalation import channels, queries
from controlplane.escalation.models import Policy
from controlplane.escalation.schemas import PolicyRead, PolicyWrite

NOUN = "escalation_policy"


async def get(session: AsyncSession, name: str) -> Policy:
    """Give the policy of this name, or raise NotFound."""
    return _there(await session.scalar(queries.policy(name)), name)


async def create(session: AsyncSession, actor: Actor, data: PolicyWrite) -> Policy:
    """Add a policy; it is for alerts from now on."""
    if await session.scalar(queries.policy(data.name)) is not None:
        raise Conflict(f"escalation policy {data.name!r} already exists")
    policy = Policy(name=data.name, options={})
    await _write(session, policy, data)
    session.add(policy)
    await session.flush()
    await trail.record(session, actor, Action.CREATE, NOUN, policy, after=_fields(policy))
    return policy


async def replace(
    session: AsyncSession, actor: Actor, name: str, data: PolicyWrite, if_match: str | None = None
) -> Policy:
    """Write a policy anew; what is under way keeps the steps with which it began."""
    policy = await _seen(session, name, if_match)
    if data.name != name and await session.scalar(queries.policy(data.name)) is not None:
        raise Conflict(f"escalation policy {data.name!r} already exists")
    before = _fields(policy)
    await _write(session, policy, data)
    policy.version += 1
    policy.updated_at = now()
    await session.flush()
    await trail.record(
        session, actor, Action.UPDATE, NOUN, policy, before=before, after=_fields(policy)
    )
    return policy


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a policy; what is under way keeps its steps."""
    policy = await _seen(session, name, if_match)
    await session.delete(policy)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, NOUN, policy, before=_fields(policy))


def read(policy: Policy) -> PolicyRead:
    """Give a policy as people see it."""
    return PolicyRead(**policy.model_dump(exclude={"id", "options"}), **policy.options)


async def _seen(session: AsyncSession, name: str, if_match: str | None) -> Policy:
    """Give what is to be changed, if it is still the version that the actor saw."""
    policy = _there(await session.scalar(queries.locked_policy(name)), name)
    preconditions.check(policy.version, if_match)
    return policy


def _there(policy: Policy | None, name: str) -> Policy:
    if policy is None:
        raise NotFound(f"there is no escalation policy {name!r}")
    return policy


async def _write(session: AsyncSession, policy: Policy, data: PolicyWrite) -> None:
    problems = [
        Problem(f"/steps/{index}/schedules", "unknown", f"there is no schedule {name!r}")
        for index, step in enumerate(data.steps)
        for name in step.schedules
        if await session.scalar(queries.schedule(name)) is None
    ]
    if problems:
        raise Invalid(problems[0].message, *problems)
    named = [
        (f"/steps/{index}/channels", name)
        for index, step in enumerate(data.steps)
        for name in step.channels
    ]
    await channels.refuse_unknown(session, named)
    policy.name, policy.position = data.name, data.position
    policy.options = data.model_dump(mode="json", exclude={"name", "position"})


def _fields(policy: Policy) -> dict[str, Any]:
    return {"name": policy.name, "position": policy.position, **policy.options}
