"""Ask for jobs, look at them, cancel them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import now
from controlplane.errors import Conflict, Invalid, NotFound, TooMany
from controlplane.jobs import queries
from controlplane.jobs.models import UNFINISHED, Job, Status
from controlplane.vault import Place, Vault

MOST = 5  # jobs of one actor that have not ended: what they work on is kept until then
PAUSE = 10.0  # seconds until somebody with so many asks again


async def submit(  # noqa: PLR0917 - who asks for what
    session: AsyncSession,
    actor: Actor,
    vault: Vault,
    kind: str,
    options: Mapping[str, Any],
    content: str,
) -> Job:
    """Have work done by the next free worker; raise TooMany where the actor waits for many."""
    if actor.id is None:
        raise Invalid("only whoever logs in has jobs")
    await session.execute(queries.lock_for(actor.id))
    if (await session.execute(queries.unfinished(actor.id))).scalar_one() >= MOST:
        raise TooMany(f"{MOST} jobs of yours have not ended", PAUSE)
    job = Job(
        kind=kind,
        options=dict(options),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        address=actor.origin.address,
        request_id=actor.origin.request_id,
        permissions=sorted(actor.permissions),
        key_version=0,
        data_key=b"",
    )
    sealed = vault.seal(place(job), {"content": content})
    job.key_version, job.data_key = sealed.key_version, sealed.data_key
    job.content = sealed.secrets["content"]
    session.add(job)
    await session.flush()
    return job


def place(job: Job) -> Place:
    """Say where the content of a job lies, for the vault."""
    return Place(job.__tablename__, job.id)


async def get(
    session: AsyncSession,
    actor: Actor,
    job_id: UUID,
    permission: Permission = Permission.JOBS_READ,
) -> Job:
    """Give a job of the actor's own, or any where they hold the permission on everything."""
    job = await session.scalar(queries.job(actor, permission, job_id))
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    return job


async def cancel(session: AsyncSession, actor: Actor, job_id: UUID) -> Job:
    """End a job that waits at once, and have one that runs stop; what it did is undone."""
    job = await get(session, actor, job_id, Permission.JOBS_WRITE)
    await session.refresh(job, with_for_update=True)
    if job.status not in UNFINISHED:
        raise Conflict(f"the job has {job.status} already")
    job.cancelling = True
    if job.status is Status.PENDING:
        job.status, job.finished_at, job.content = Status.CANCELLED, now(), None
    await session.flush()
    return job
