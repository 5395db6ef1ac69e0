"""Statements about jobs: everybody sees their own, who holds `jobs:read` on everything all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    Update,
    delete,
    func,
    or_,
    select,
    true,
    update,
)
from sqlmodel import col

from controlplane import lookups
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.jobs.models import UNFINISHED, Job, Status
from controlplane.jobs.schemas import JobQuery

FILTERED = ("kind", "status", "actor_name", "created_at", "finished_at")
ORDERING = {
    "id": col(Job.id),
    "created_at": col(Job.created_at),
    "finished_at": col(Job.finished_at),
}


def jobs(actor: Actor, query: JobQuery) -> Select[tuple[Job]]:
    """Select the jobs that the actor sees and that pass the filters."""
    subjects = lookups.columns(Job, *FILTERED)
    return select(Job).where(
        _within(actor, Permission.JOBS_READ), *lookups.conditions(query, subjects)
    )


def job(actor: Actor, permission: Permission, job_id: UUID) -> Select[tuple[Job]]:
    """Select the job of this id, where it is the actor's own or the permission reaches it."""
    return select(Job).where(col(Job.id) == job_id, _within(actor, permission))


def _within(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    return true() if actor.may_everywhere(permission) else col(Job.actor_id) == actor.id


def lock_for(actor_id: UUID) -> Select[tuple[None]]:
    """Have the requests of one actor for jobs take turns until the commit."""
    return select(func.pg_advisory_xact_lock(func.hashtextextended(f"jobs {actor_id}", 0)))


def unfinished(actor_id: UUID) -> Select[tuple[int]]:
    """Count the jobs of an actor that have not ended."""
    mine = col(Job.actor_id) == actor_id
    return select(func.count()).select_from(Job).where(mine, col(Job.status).in_(UNFINISHED))


def claim(moment: datetime, lost_before: datetime) -> Update:
    """Give the oldest job that waits, or whose worker was not seen since, to whoever executes."""
    lost = (col(Job.status) == Status.RUNNING) & (col(Job.seen_at) < lost_before)
    oldest = (
        select(col(Job.id))
        .where(or_(col(Job.status) == Status.PENDING, lost))
        .order_by(col(Job.created_at), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(Job)
        .where(col(Job.id) == oldest.scalar_subquery())
        .values(
            status=Status.RUNNING,
            attempt=col(Job.attempt) + 1,
            started_at=func.coalesce(col(Job.started_at), moment),
            seen_at=moment,
            done=0,
            total=None,
        )
        .returning(Job)
    )


def seen(held: Job, moment: datetime, done: int, total: int | None) -> Update:
    """Note that the worker of a job lives and how far it is; give whether it should stop."""
    values = {"seen_at": moment, "done": done, "total": total}
    return _held(held).values(values).returning(col(Job.cancelling))


def finish(held: Job, status: Status, moment: datetime, **values: Any) -> Update:
    """End a job that is still this worker's, and forget what it worked on; give its id."""
    ended: Mapping[str, Any] = {"status": status, "finished_at": moment, "content": None, **values}
    return _held(held).values(ended).returning(col(Job.id))


def put_back(held: Job) -> Update:
    """Let another worker take up a job that this one has no time for."""
    return _held(held).values(status=Status.PENDING, attempt=col(Job.attempt) - 1, seen_at=None)


def _held(held: Job) -> Update:
    ours = (col(Job.status) == Status.RUNNING) & (col(Job.attempt) == held.attempt)
    return update(Job).where(col(Job.id) == held.id, ours)


def old(before: datetime) -> Delete:
    """Delete the jobs that ended before."""
    return delete(Job).where(col(Job.finished_at) < before)
