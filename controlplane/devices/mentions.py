"""What names a device or a site by its label: it would go on with a name that nobody has.

Routes, escalation policies and alerting rules belong to capabilities above this one: known by name,
not imported. None of them is rewritten behind the back of who wrote it; what names both, the old
and the new, loses nothing, neither the end of an alert nor its beginning.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, String, column, literal, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.auth.tables import RULES
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
        ("alerting rules", _ruled(actor, "site", name, to)),
    ):
        await refusals.refuse_if_any(session, statement, _claim(noun, name, to))


async def refuse_device(session: AsyncSession, actor: Actor, name: str, to: str) -> None:
    """Raise Conflict where a rule in force names a device and not what it is to be called."""
    statement = _ruled(actor, "device", name, to)
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


def _ruled(actor: Actor, label: str, name: str, to: str) -> Select[tuple[str, bool]]:
    """Select the rules that are in force, or would be but for a fault."""
    seen = restrictor.on_sites(actor, Permission.RULES_READ, RULES.c.site_id)
    old, new = (_matches(label, one) for one in (name, to))
    return select(RULES.c.name, seen.label("seen")).where(RULES.c.status != "draft", old, ~new)


def _matches(label: str, name: str) -> ColumnElement[bool]:
    """Say of an expression that a matcher of the label has the name, alone or among others."""
    quote, inside, part = "[\"'`]", "[^\"'`]*", "[^a-z0-9._-]"
    pattern = (
        rf"\m{label}\s*(=|!=|=~|!~)\s*{quote}({inside}{part})?"
        rf"{''.join(_literal(name))}({part}{inside})?{quote}"
    )
    return RULES.c.expr.regexp_match(pattern)


def _literal(name: str) -> Iterator[str]:
    # A pattern of PromQL has a dot behind a backslash, or behind two: within quotes.
    yield from (r"\\*[.]" if character == "." else character for character in name)
