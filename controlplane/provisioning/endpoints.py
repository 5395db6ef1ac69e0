"""Rule sets over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from controlplane import pagination
from controlplane.auth.dependencies import CanReadRules
from controlplane.database import Session
from controlplane.given import given
from controlplane.pagination import Page, PageQuery
from controlplane.provisioning import queries, service
from controlplane.provisioning.schemas import RuleRevisionRead, RuleSetDifference, RuleSetRead

Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]

router = APIRouter(prefix="/api/v1/rules", tags=["rules"])


@router.get("")
async def list_rule_revisions(
    request: Request,
    session: Session,
    _actor: CanReadRules,
    query: Annotated[PageQuery, given(PageQuery)],
) -> Page[RuleRevisionRead]:
    """List the attempts to put a rule set in force, newest first."""
    listed = pagination.ordered(queries.revisions(), query.ordering, queries.ORDERING, "-id")
    extent, rows = await pagination.fetch(session, listed, query)
    results = [RuleRevisionRead.model_validate(row) for row in rows]
    return pagination.page(request.url, query, extent, results)


@router.get("/{revision}")
async def read_rule_set(session: Session, _actor: CanReadRules, revision: Revision) -> RuleSetRead:
    """Give the files of a rule set; those of the last twenty are kept."""
    return RuleSetRead.model_validate(await service.files(session, revision))


@router.get("/{revision}/difference")
async def compare_rule_sets(
    session: Session, _actor: CanReadRules, revision: Revision, against: Revision | None = None
) -> RuleSetDifference:
    """Tell what a rule set changes of another, or of the one that was in force before it."""
    return await service.compare(session, revision, against)
