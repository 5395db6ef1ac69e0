"""What names a device or a site by its label: it would go on with a name that nobody has.

Routes, escalation policies and alerting rules belong to capabilities above this one: known by name,
not imported. None of them is rewritten behind the back of who wrote it; what names both, the old
and the new, loses nothing, neither the end of an alert nor its beginning. What a rule names stands
beside its expression, as matchers.
"""

from collections.abc import Mapping, Sequence

import re2
from sqlalchemy import Select, String, column, literal, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.auth.tables import RULES
from controlplane.database import one_of
from controlplane.devices import refusals

ROUTES, POLICIES = (
    table(name, column("name", String), column("options", JSONB))
    for name in ("notification_routes", "escalation_policies")
)


async def refuse_site(session: AsyncSession, actor: Actor, name: str, to: str) -> None:
    """Raise Conflict where something names a site and not what it is to be called."""
    for noun, statement in (
        ("routes", _told(actor, name, to)),
        ("escalation policies", _escalated(actor, name, to)),
        ("alerting rules", await _ruled(session, actor, "site", name, to)),
    ):
        await refusals.refuse_if_any(session, statement, _claim(noun, name, to))


async def refuse_device(session: AsyncSession, actor: Actor, name: str, to: str) -> None:
    """Raise Conflict where a rule in force names a device and not what it is to be called."""
    statement = await _ruled(session, actor, "device", name, to)
    await refusals.refuse_if_any(session, statement, _claim("alerting rules", name, to))


def _claim(noun: str, name: str, to: str) -> str:
    return f"first have these {noun} name {to!r} beside {name!r}:"


def _told(actor: Actor, name: str, to: str) -> Select[tuple[str, bool]]:
    seen = literal(actor.may_everywhere(Permission.NOTIFICATIONS_READ)).label("seen")
    sites = ROUTES.c.options["sites"]
    return select(ROUTES.c.name, seen).where(sites.has_key(name), ~sites.has_key(to))


def _escalated(actor: Actor, name: str, to: str) -> Select[tuple[str, bool]]:
    seen = literal(Permission.ONCALL_READ in actor.permissions).label("seen")
    sites = POLICIES.c.options["sites"]
    return select(POLICIES.c.name, seen).where(sites.has_key(name), ~sites.has_key(to))


async def _ruled(
    session: AsyncSession, actor: Actor, label: str, name: str, to: str
) -> Select[tuple[str, bool]]:
    """Select the rules that are in force, or would be but for a fault, and would lose the name."""
    live = select(RULES.c.name, RULES.c.matchers).where(RULES.c.status != "draft")
    rules = await session.execute(live)
    left = [rule for rule, matchers in rules if _left_behind(matchers, label, name, to)]
    seen = restrictor.on_sites(actor, Permission.RULES_READ, RULES.c.site_id)
    return select(RULES.c.name, seen.label("seen")).where(one_of(RULES.c.name, left))


def _left_behind(matchers: Sequence[Mapping[str, str]], label: str, name: str, to: str) -> bool:
    """Say whether some of the matchers name the one and not the other, and none the other alone."""
    ours = [matcher for matcher in matchers if matcher["label"] == label]
    named = {(_names(matcher, name), _names(matcher, to)) for matcher in ours}
    return (True, False) in named and (False, True) not in named


def _names(matcher: Mapping[str, str], name: str) -> bool:
    """Say whether a matcher is about a name, to choose it or to leave it out."""
    value = matcher["value"]
    if matcher["op"] in {"=", "!="}:
        return value == name
    return re2.fullmatch(value, name) is not None  # it compiled when the rule was checked
