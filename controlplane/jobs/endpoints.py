"""Jobs over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from controlplane import pagination
from controlplane.auth.dependencies import CurrentActor
from controlplane.database import Session
from controlplane.given import given
from controlplane.jobs import queries, service
from controlplane.jobs.schemas import JobQuery, JobRead
from controlplane.pagination import Page

PREFIX = "/api/v1/jobs"

router = APIRouter(prefix=PREFIX, tags=["jobs"])


@router.get("")
async def list_jobs(
    request: Request,
    session: Session,
    actor: CurrentActor,
    query: Annotated[JobQuery, given(JobQuery)],
) -> Page[JobRead]:
    """List one's own jobs, or those of all for who may see them; by default the newest first."""
    ordering = query.ordering or "-created_at"
    statement = pagination.ordered(queries.jobs(actor, query), ordering, queries.ORDERING, "id")
    count, rows = await pagination.fetch(session, statement, query)
    results = [JobRead.model_validate(row) for row in rows]
    return pagination.page(request.url, query, count, results)


@router.get("/{job_id}")
async def get_job(job_id: UUID, session: Session, actor: CurrentActor) -> JobRead:
    """Show a job, and how far it is."""
    return JobRead.model_validate(await service.get(session, actor, job_id))


@router.post("/{job_id}/cancel", status_code=202)
async def cancel_job(job_id: UUID, session: Session, actor: CurrentActor) -> JobRead:
    """Cancel a job that has not ended: what it did so far is undone."""
    return JobRead.model_validate(await service.cancel(session, actor, job_id))
