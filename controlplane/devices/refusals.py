"""Refusals that name what stands in the way, as far as the actor may see it."""

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.errors import Conflict

NAMED = 5


async def refuse_if_any(
    session: AsyncSession, statement: Select[tuple[str, bool]], claim: str
) -> None:
    """Raise Conflict where the statement gives rows: a name, and whether the actor may see it."""
    found = statement.subquery()
    count = await session.scalar(select(func.count()).select_from(found))
    if not count:
        return
    name, visible = found.c
    names = list(await session.scalars(select(name).where(visible).order_by(name).limit(NAMED)))
    more = count - len(names)
    shown = [", ".join(names)] if names else []
    if more:
        shown.append(f"{more} more" if names else f"{more} that you do not see")
    raise Conflict(f"{claim} {' and '.join(shown)}")
