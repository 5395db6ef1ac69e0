"""Alerting rules that people write, over HTTP."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import pagination, preconditions
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import (
    CanDeployAlertingRules,
    CanReadAlertingRules,
    CanWriteAlertingRules,
)
from controlplane.database import Session
from controlplane.given import given
from controlplane.jobs import service as jobs
from controlplane.jobs.endpoints import PREFIX as JOBS
from controlplane.jobs.schemas import JobRead
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.provisioning.alerting_rules import previewing, queries, service, work
from controlplane.provisioning.alerting_rules.checking import Checker
from controlplane.provisioning.alerting_rules.evaluation import SAMPLES_AT_ONCE, Evaluator
from controlplane.provisioning.alerting_rules.previewing import Previewer
from controlplane.provisioning.alerting_rules.schemas import (
    AlertName,
    Checked,
    PreviewQuery,
    PreviewRead,
    RuleCreate,
    RuleQuery,
    RuleRead,
    RuleUpdate,
)
from controlplane.retries.once import ONCE, Retryable
from controlplane.vault import Vault

ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": JobRead, "description": "A job does it; Location names it"}
}

router = APIRouter(prefix="/api/v1/alerting-rules", tags=["alerting rules"], route_class=Retryable)


@dataclass(frozen=True)
class _Desk:
    """Makes previews at once, or hands in a job for what takes longer than people wait."""

    previewer: Previewer
    vault: Vault

    async def preview(
        self,
        session: AsyncSession,
        actor: Actor,
        data: RuleCreate,
        days: int,
        response: Response,
    ) -> PreviewRead | JobRead:
        prepared = await self.previewer.prepare(session, actor, data, days)
        if prepared.samples <= SAMPLES_AT_ONCE:
            return await self.previewer.run(session, actor, prepared)
        options, content = {"days": days}, data.model_dump_json()
        job = await jobs.submit(session, actor, self.vault, work.KIND, options, content)
        response.status_code = 202
        response.headers["Location"] = f"{JOBS}/{job.id}"
        return JobRead.model_validate(job)


def _desk(request: Request) -> _Desk:
    state = request.app.state
    return _Desk(work.previewer(state.settings, state.prometheus), state.vault)


def _checker(desk: Annotated[_Desk, Depends(_desk)]) -> Checker:
    return desk.previewer.checker


def _evaluator(desk: Annotated[_Desk, Depends(_desk)]) -> Evaluator:
    return desk.previewer.evaluator


Desk = Annotated[_Desk, Depends(_desk)]
Checks = Annotated[Checker, Depends(_checker)]
Evaluates = Annotated[Evaluator, Depends(_evaluator)]


@router.get("")
async def list_alerting_rules(
    request: Request,
    session: Session,
    actor: CanReadAlertingRules,
    query: Annotated[RuleQuery, given(RuleQuery)],
) -> Page[RuleRead]:
    """List the alerting rules that people wrote."""
    listed = pagination.ordered(
        queries.rules(actor, query), query.ordering, queries.ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, await service.read(session, actor, rows))


@router.post("", status_code=201, dependencies=[ONCE])
async def create_alerting_rule(
    data: RuleCreate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteAlertingRules,
    checker: Checks,
) -> RuleRead:
    """Add an alerting rule as a draft; what could never be in force is refused."""
    created = await service.create(session, actor, checker, data)
    preconditions.tag(response, created.version)
    return created


@router.post("/check")
async def check_alerting_rule(
    data: RuleCreate,
    session: Session,
    actor: CanWriteAlertingRules,
    checker: Checks,
    evaluator: Evaluates,
) -> Checked:
    """Check a rule and keep nothing: how it would be in force, its cost, and what is doubtful."""
    return await service.check(session, actor, checker, evaluator, data)


@router.post("/preview", responses=ACCEPTED)
async def preview_new_rule(
    data: RuleCreate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteAlertingRules,
    desk: Desk,
    query: Annotated[PreviewQuery, Query()],
) -> PreviewRead | JobRead:
    """Tell what a rule would have done over the last days; what takes long becomes a job (202)."""
    return await desk.preview(session, actor, data, query.days, response)


@router.get("/{name}")
async def get_alerting_rule(
    name: AlertName, response: Response, session: Session, actor: CanReadAlertingRules
) -> RuleRead:
    """Show an alerting rule."""
    rule = await service.get(session, actor, name)
    preconditions.tag(response, rule.version)
    return (await service.read(session, actor, [rule]))[0]


@router.patch("/{name}")
async def update_alerting_rule(
    name: AlertName,
    data: RuleUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteAlertingRules,
    checker: Checks,
    evaluator: Evaluates,
    if_match: IfMatch = None,
) -> RuleRead:
    """Change an alerting rule; one that is in force takes `rules:deploy`, too."""
    changed = await service.update(session, actor, checker, evaluator, name, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@router.post("/{name}/preview", responses=ACCEPTED)
async def preview_alerting_rule(
    name: AlertName,
    response: Response,
    *,
    session: Session,
    actor: CanWriteAlertingRules,
    desk: Desk,
    query: Annotated[PreviewQuery, Query()],
) -> PreviewRead | JobRead:
    """Tell what a stored rule would have done; what takes long becomes a job (202)."""
    data = await previewing.stored(session, actor, name)
    return await desk.preview(session, actor, data, query.days, response)


@router.post("/{name}/enable", dependencies=[ONCE])
async def enable_alerting_rule(
    name: AlertName,
    response: Response,
    *,
    session: Session,
    actor: CanDeployAlertingRules,
    checker: Checks,
    evaluator: Evaluates,
    if_match: IfMatch = None,
) -> RuleRead:
    """Put a rule in force, or try again where that failed."""
    changed = await service.enable(session, actor, checker, evaluator, name, if_match)
    preconditions.tag(response, changed.version)
    return changed


@router.post("/{name}/disable", dependencies=[ONCE])
async def disable_alerting_rule(
    name: AlertName,
    response: Response,
    *,
    session: Session,
    actor: CanDeployAlertingRules,
    if_match: IfMatch = None,
) -> RuleRead:
    """Take a rule out of force: it is a draft again."""
    changed = await service.disable(session, actor, name, if_match)
    preconditions.tag(response, changed.version)
    return changed


@router.delete("/{name}", status_code=204)
async def delete_alerting_rule(
    name: AlertName, session: Session, actor: CanWriteAlertingRules, if_match: IfMatch = None
) -> None:
    """Remove an alerting rule; one that is in force takes `rules:deploy`, too."""
    await service.delete(session, actor, name, if_match)
