"""The channels that steps and contacts name: made by people, or those of the installation."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.errors import Invalid, Problem
from controlplane.escalation import queries
from controlplane.notifications import service as notifications


async def refuse_unknown(session: AsyncSession, named: Iterable[tuple[str, str]]) -> None:
    """Raise Invalid where a name at a pointer is no channel, with every pointer that is wrong."""
    named = list(named)
    known = set(await session.scalars(queries.channels({name for _, name in named})))
    problems = [
        Problem(pointer, "unknown", f"there is no channel {name!r}")
        for pointer, name in named
        if name not in known and not notifications.is_built_in(name)
    ]
    if problems:
        raise Invalid(problems[0].message, *problems)


async def uses(session: AsyncSession, channel: str) -> list[str]:
    """Say in words which policies and people would be told by nothing without this channel."""
    policies = [
        f"escalation policy {policy.name!r}"
        for policy in await session.scalars(queries.in_order())
        if any(channel in step["channels"] for step in policy.options["steps"])
    ]
    contacts = await session.scalars(queries.contacts())
    return policies + [f"{c.person!r}, on call" for c in contacts if c.channel == channel]
