"""Baselines over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from controlplane import pagination, preconditions
from controlplane.auth.dependencies import CanDeployRules, CanReadRules
from controlplane.database import Session
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.metrics.baselines import queries, service
from controlplane.metrics.baselines.models import Baseline
from controlplane.metrics.baselines.schemas import (
    BaselineCreate,
    BaselineQuery,
    BaselineRead,
    BaselineUpdate,
)
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.retries.once import ONCE, Retryable

router = APIRouter(prefix="/api/v1/baselines", tags=["rules"], route_class=Retryable)


@router.get("")
async def list_baselines(
    request: Request,
    session: Session,
    _actor: CanReadRules,
    query: Annotated[BaselineQuery, given(BaselineQuery)],
) -> Page[BaselineRead]:
    """List baselines."""
    listed = pagination.ordered(queries.baselines(query), query.ordering, queries.ORDERING, "name")
    extent, rows = await pagination.fetch(session, listed, query)
    results = [BaselineRead.model_validate(row) for row in rows]
    return pagination.page(request.url, query, extent, results)


@router.post("", status_code=201, response_model=BaselineRead, dependencies=[ONCE])
async def create_baseline(
    data: BaselineCreate, response: Response, session: Session, actor: CanDeployRules
) -> Baseline:
    """Add a baseline."""
    created = await service.create(session, actor, data)
    preconditions.tag(response, created.version)
    return created


@router.get("/{name}", response_model=BaselineRead)
async def get_baseline(
    name: Name, response: Response, session: Session, _actor: CanReadRules
) -> Baseline:
    """Show a baseline."""
    found = await service.get(session, name)
    preconditions.tag(response, found.version)
    return found


@router.patch("/{name}", response_model=BaselineRead)
async def update_baseline(
    name: Name,
    data: BaselineUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanDeployRules,
    if_match: IfMatch = None,
) -> Baseline:
    """Describe a baseline, or switch it on and off."""
    changed = await service.update(session, actor, name, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@router.delete("/{name}", status_code=204)
async def delete_baseline(
    name: Name, session: Session, actor: CanDeployRules, if_match: IfMatch = None
) -> None:
    """Remove a baseline, with its bands."""
    await service.delete(session, actor, name, if_match)
