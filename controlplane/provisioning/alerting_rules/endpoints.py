"""Alerting rules that people write, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from controlplane import pagination, preconditions
from controlplane.auth.dependencies import (
    CanDeployAlertingRules,
    CanReadAlertingRules,
    CanWriteAlertingRules,
)
from controlplane.database import Session
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.provisioning.alerting_rules import queries, service
from controlplane.provisioning.alerting_rules.checking import Checker
from controlplane.provisioning.alerting_rules.schemas import (
    AlertName,
    Checked,
    RuleCreate,
    RuleQuery,
    RuleRead,
    RuleUpdate,
)
from controlplane.provisioning.service import rule_intent
from controlplane.retries.once import ONCE, Retryable

router = APIRouter(prefix="/api/v1/alerting-rules", tags=["alerting rules"], route_class=Retryable)


def _checker(request: Request) -> Checker:
    return Checker(rule_intent(request.app.state.settings))


Checks = Annotated[Checker, Depends(_checker)]


@router.get("")
async def list_alerting_rules(
    request: Request,
    session: Session,
    actor: CanReadAlertingRules,
    query: Annotated[RuleQuery, Query()],
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
    data: RuleCreate, session: Session, actor: CanWriteAlertingRules, checker: Checks
) -> Checked:
    """Check a rule and keep nothing: how it would be in force, and what is doubtful about it."""
    return await service.check(session, actor, checker, data)


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
    if_match: IfMatch = None,
) -> RuleRead:
    """Change an alerting rule; one that is in force takes `rules:deploy`, too."""
    changed = await service.update(session, actor, checker, name, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@router.post("/{name}/enable", dependencies=[ONCE])
async def enable_alerting_rule(
    name: AlertName,
    response: Response,
    *,
    session: Session,
    actor: CanDeployAlertingRules,
    checker: Checks,
    if_match: IfMatch = None,
) -> RuleRead:
    """Put a rule in force, or try again where that failed."""
    changed = await service.enable(session, actor, checker, name, if_match)
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
