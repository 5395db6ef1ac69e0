"""Rule sets over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request

from controlplane import pagination
from controlplane.auth.dependencies import CanReadRules
from controlplane.database import Session
from controlplane.given import given
from controlplane.pagination import Page, PageQuery
from controlplane.provisioning import queries
from controlplane.provisioning.schemas import RuleRevisionRead

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
