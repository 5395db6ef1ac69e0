"""Whoever asked for a job, as they are when it is done: rights lost meanwhile are lost."""

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit.models import Kind
from controlplane.auth.actor import Actor, Held, Origin
from controlplane.auth.models import ServiceToken
from controlplane.auth.permissions import Permission
from controlplane.auth.roles import grants
from controlplane.errors import Forbidden
from controlplane.jobs.models import Job
from controlplane.users.models import User


async def actor(session: AsyncSession, job: Job) -> Actor:
    """Give the actor, with what they hold now and held when they asked; Forbidden if gone."""
    origin = Origin(job.address, job.request_id)
    held = await _held(session, job)
    whole = Actor(job.actor_id, job.actor_name, job.actor_kind, held, origin=origin)
    known = {permission.value: permission for permission in Permission}
    return whole.limited_to([known[name] for name in job.permissions if name in known])


async def _held(session: AsyncSession, job: Job) -> tuple[Held, ...]:
    if job.actor_kind is Kind.SERVICE:
        token = await session.get(ServiceToken, job.actor_id)
        if token is not None:
            return (Held(frozenset(Permission(name) for name in token.permissions)),)
    else:
        user = await session.get(User, job.actor_id)
        if user is not None and user.active:
            return await grants.held(session, user.id, ())
    raise Forbidden(f"{job.actor_name}, who asked for this job, may do nothing any more")
