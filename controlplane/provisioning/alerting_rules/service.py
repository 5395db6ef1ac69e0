"""Keep alerting rules that people write; what is in force changes only by who may deploy."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import rules
from controlplane import events, preconditions
from controlplane.audit.models import Action
from controlplane.auth import restrictor, trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import now
from controlplane.devices import names
from controlplane.devices import queries as device_queries
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unavailable
from controlplane.provisioning.alerting_rules import expression, queries
from controlplane.provisioning.alerting_rules.checking import Checker
from controlplane.provisioning.alerting_rules.evaluation import Evaluator
from controlplane.provisioning.alerting_rules.models import AlertingRule, RuleStatus
from controlplane.provisioning.alerting_rules.preview import Outcome
from controlplane.provisioning.alerting_rules.schemas import (
    Checked,
    RuleCreate,
    RuleRead,
    RuleUpdate,
)

NOUN = "alerting-rule"  # as the audit log has it
READ, WRITE = Permission.RULES_READ, Permission.RULES_WRITE
DEPLOY = Permission.RULES_DEPLOY
NOT_KEPT = {"id", "name", "samples", "version", "created_at", "updated_at"}  # in the audit log


async def get(
    session: AsyncSession, actor: Actor, name: str, permission: Permission = READ
) -> AlertingRule:
    """Give the rule of this name; NotFound where the actor does not see it, else Forbidden."""
    rule = await session.scalar(queries.rule(actor, permission, name))
    if rule is not None:
        return rule
    if await session.scalar(queries.rule(actor, READ, name)) is not None:
        raise Forbidden(f"you may see the rule {name}, but lack {permission.value} there")
    raise NotFound(f"there is no alerting rule {name!r}")


async def read(
    session: AsyncSession, actor: Actor, found: Sequence[AlertingRule]
) -> list[RuleRead]:
    """Give rules as this actor sees them; a site they cannot see is none to them."""
    names: dict[UUID | None, str] = {}
    names.update((await session.execute(device_queries.site_names(actor))).tuples().all())
    return [RuleRead(**rule.model_dump(), site=names.get(rule.site_id)) for rule in found]


async def check(
    session: AsyncSession, actor: Actor, checker: Checker, evaluator: Evaluator, data: RuleCreate
) -> Checked:
    """Say how a rule would be in force, or raise Invalid with what keeps it from that."""
    made = await would_be(session, actor, checker, data)
    try:
        cost = await evaluator.cost(made)
    except Unavailable:
        cost = None
    return Checked(expr=made.expr, warnings=warnings(data.expr), cost=cost)


def warnings(expr: str) -> list[str]:
    """Say what is doubtful about an expression, as somebody wrote it."""
    return expression.warnings(expression.parse(expr))


async def would_be(
    session: AsyncSession, actor: Actor, checker: Checker, data: RuleCreate
) -> rules.Alert:
    """Give the alert that a new rule would make, or raise Invalid or Forbidden."""
    site = await _site(session, actor, data.site)
    checker.refuse_name(data.name)
    return await checker.check(data, await sites(session, site))


async def visible(
    session: AsyncSession, actor: Actor, found: Mapping[str, Outcome], since: datetime
) -> dict[str, Outcome]:
    """Give the outcomes since a moment of devices that the actor sees, and those without a device.

    Who sees everything also sees what has left the inventory, and what had another's name.
    """
    if actor.may_everywhere(Permission.DEVICES_READ):
        return dict(found)
    seen = {"", *await session.scalars(queries.seen(actor, found))}
    seen -= await names.passed_on(session, since)
    return {name: outcome for name, outcome in found.items() if name in seen}


async def create(
    session: AsyncSession, actor: Actor, checker: Checker, data: RuleCreate
) -> RuleRead:
    """Add a draft; whoever writes only at some sites writes rules about one of them."""
    site = await _site(session, actor, data.site)
    checker.refuse_name(data.name)
    await checker.check(data, await sites(session, site))
    await events.changed(session)
    if await session.scalar(queries.any_rule(data.name)):
        raise Conflict(f"an alerting rule {data.name} already exists")
    rule = AlertingRule(
        **data.model_dump(exclude={"site"}),
        matchers=expression.matchers(expression.parse(data.expr)),
        site_id=site,
        owner=actor.name,
    )
    session.add(rule)
    await session.flush()
    created = (await read(session, actor, [rule]))[0]
    await trail.record(session, actor, Action.CREATE, NOUN, rule, after=_kept(created))
    return created


async def update(  # noqa: PLR0917 - who changes what, and who checks it
    session: AsyncSession,
    actor: Actor,
    checker: Checker,
    evaluator: Evaluator,
    name: str,
    data: RuleUpdate,
    if_match: str | None = None,
) -> RuleRead:
    """Change a rule; one that is in force takes the right to deploy."""
    seen = await _to_change(session, actor, name, if_match)
    given = data.model_dump(exclude_unset=True)
    changed = AlertingRule(**{**seen.model_dump(), **given})
    made = await checker.check(changed, await sites(session, seen.site_id))
    live = seen.status is RuleStatus.LIVE
    cost = await evaluator.admit(made) if live else None
    await events.changed(session)
    rule = await _again(session, seen, if_match)
    if cost is not None:
        await evaluator.together.admit(session, rule, cost.samples)
    before = (await read(session, actor, [rule]))[0]
    if all(getattr(before, field) == value for field, value in given.items()):
        return before
    rule.sqlmodel_update(given)
    rule.matchers = expression.matchers(expression.parse(rule.expr))
    return await _changed(session, actor, rule, before)


async def enable(  # noqa: PLR0917 - who enables what, and what it is measured by
    session: AsyncSession,
    actor: Actor,
    checker: Checker,
    evaluator: Evaluator,
    name: str,
    if_match: str | None = None,
) -> RuleRead:
    """Have a rule be in force from the next deployment on, if it can be evaluated at its cost.

    Raises Conflict where it is one too many beside the others.
    """
    seen = await get(session, actor, name, DEPLOY)
    preconditions.check(seen.version, if_match)
    checker.refuse_name(seen.name)
    made = await checker.check(seen, await sites(session, seen.site_id))
    cost = await evaluator.admit(made)
    await events.changed(session)
    rule = await _again(session, seen, if_match)
    await evaluator.together.admit(session, rule, cost.samples)
    return await _put(session, actor, rule, RuleStatus.LIVE)


async def disable(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> RuleRead:
    """Make a rule a draft again; what it fires is over with the next deployment."""
    await events.changed(session)
    rule = await get(session, actor, name, DEPLOY)
    preconditions.check(rule.version, if_match)
    return await _put(session, actor, rule, RuleStatus.DRAFT)


async def fail(session: AsyncSession, actor: Actor, rule: AlertingRule, reason: str) -> None:
    """Note that a rule is not in force although it should be, and why."""
    before = (await read(session, actor, [rule]))[0]
    rule.status, rule.failure = RuleStatus.FAILED, reason
    await _changed(session, actor, rule, before)


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a rule; one that is in force takes the right to deploy."""
    await events.changed(session)
    rule = await _to_change(session, actor, name, if_match)
    before = (await read(session, actor, [rule]))[0]
    await session.delete(rule)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, NOUN, rule, before=_kept(before))


async def sites(session: AsyncSession, site: UUID | None) -> list[str] | None:
    """Name the sites that a rule is about: one with all below it, or None for everything."""
    return None if site is None else list(await session.scalars(queries.at(site)))


async def _to_change(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None
) -> AlertingRule:
    rule = await get(session, actor, name, WRITE)
    if rule.status is not RuleStatus.DRAFT:
        rule = await get(session, actor, name, DEPLOY)
    preconditions.check(rule.version, if_match)
    return rule


async def _again(session: AsyncSession, seen: AlertingRule, if_match: str | None) -> AlertingRule:
    """Give the row to change, as it was when it was checked: that takes a while."""
    version = seen.version
    rule = await session.scalar(queries.locked(queries.any_rule(seen.name)))
    if rule is None:
        raise NotFound(f"there is no alerting rule {seen.name!r}")
    preconditions.check(rule.version, if_match)
    if rule.version != version:
        raise Conflict(f"somebody else changes the rule {rule.name} at this moment")
    return rule


async def _put(
    session: AsyncSession, actor: Actor, rule: AlertingRule, status: RuleStatus
) -> RuleRead:
    before = (await read(session, actor, [rule]))[0]
    if rule.status is status:
        return before
    rule.status, rule.failure = status, ""
    return await _changed(session, actor, rule, before)


async def _changed(
    session: AsyncSession, actor: Actor, rule: AlertingRule, before: RuleRead
) -> RuleRead:
    rule.version += 1
    rule.updated_at = now()
    await session.flush()
    after = (await read(session, actor, [rule]))[0]
    await trail.record(
        session, actor, Action.UPDATE, NOUN, rule, before=_kept(before), after=_kept(after)
    )
    return after


async def _site(session: AsyncSession, actor: Actor, name: str | None) -> UUID | None:
    """Give the site that a rule is about; Forbidden where the actor's reach ends before it."""
    if name is None:
        if not actor.may_everywhere(WRITE):
            raise Forbidden(f"you hold {WRITE.value} at some sites: name the one it is about")
        return None
    site = await session.scalar(device_queries.site(actor, Permission.SITES_READ, name))
    if site is None:
        detail = f"there is no site {name!r}"
        raise Invalid(detail, Problem("/site", "unknown", detail))
    await restrictor.check_site(session, actor, WRITE, site.id)
    return site.id


def _kept(rule: RuleRead) -> dict[str, Any]:
    return rule.model_dump(mode="json", exclude=NOT_KEPT)
