"""Shipped alerts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

import rules
from controlplane import pagination, preconditions
from controlplane.auth.dependencies import CanDeployRules, CanReadRules
from controlplane.database import Session
from controlplane.given import given
from controlplane.grammar import Word
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.provisioning.service import rule_intent
from controlplane.provisioning.shipped_alerts import queries, service, shipped
from controlplane.provisioning.shipped_alerts.schemas import (
    AlertRuleQuery,
    AlertRuleRead,
    AlertRuleUpdate,
)

router = APIRouter(prefix="/api/v1/shipped-alerts", tags=["rules"])


def _intent(request: Request) -> rules.Intent:
    return rule_intent(request.app.state.settings)


AsShipped = Annotated[rules.Intent, Depends(_intent)]


@router.get("")
async def list_alert_rules(
    request: Request,
    session: Session,
    _actor: CanReadRules,
    intent: AsShipped,
    query: Annotated[AlertRuleQuery, given(AlertRuleQuery)],
) -> Page[AlertRuleRead]:
    """List the alerts that are shipped, as they are in force."""
    there = queries.table(shipped.by_name(intent).values())
    listed = pagination.ordered(
        queries.names(there, query), query.ordering, queries.ordering(there), "name"
    )
    extent, names = await pagination.fetch(session, listed, query)
    results = await service.read(session, intent, names)
    return pagination.page(request.url, query, extent, results)


@router.get("/{alert}")
async def get_alert_rule(
    alert: Word, response: Response, session: Session, _actor: CanReadRules, intent: AsShipped
) -> AlertRuleRead:
    """Show a shipped alert."""
    found = await service.get(session, intent, alert)
    preconditions.tag(response, found.version)
    return found


@router.patch("/{alert}")
async def update_alert_rule(
    alert: Word,
    data: AlertRuleUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanDeployRules,
    intent: AsShipped,
    if_match: IfMatch = None,
) -> AlertRuleRead:
    """Change when an alert fires and ends, or whether it does; seconds later it is in force."""
    changed = await service.update(session, actor, intent, alert, data, if_match)
    preconditions.tag(response, changed.version)
    return changed
