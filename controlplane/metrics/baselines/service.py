"""Keep baselines; the next rule set has their bands."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.errors import Conflict, NotFound
from controlplane.metrics.baselines import queries
from controlplane.metrics.baselines.models import Baseline
from controlplane.metrics.baselines.schemas import BaselineCreate, BaselineUpdate

NOUN = "baseline"  # as the audit log has it
MOST = 20  # each costs six series a site or role, and a day of samples at each look


async def get(session: AsyncSession, name: str) -> Baseline:
    """Give the baseline of this name, or raise NotFound."""
    baseline = await session.scalar(queries.baseline(name))
    if baseline is None:
        raise NotFound(f"there is no baseline {name!r}")
    return baseline


async def create(session: AsyncSession, actor: Actor, data: BaselineCreate) -> Baseline:
    """Add a baseline; it has bands after a day."""
    await events.changed(session)
    if await session.scalar(queries.baseline(data.name)) is not None:
        raise Conflict(f"baseline {data.name!r} already exists")
    if (await session.execute(queries.count())).scalar_one() >= MOST:
        raise Conflict(f"there are {MOST} baselines, and each costs Prometheus: remove one first")
    baseline = Baseline(**data.model_dump())
    session.add(baseline)
    await session.flush()
    await trail.record(session, actor, Action.CREATE, NOUN, baseline, after=_kept(baseline))
    return baseline


async def update(
    session: AsyncSession,
    actor: Actor,
    name: str,
    data: BaselineUpdate,
    if_match: str | None = None,
) -> Baseline:
    """Change the given fields, unless it is no longer the version the actor saw."""
    await events.changed(session)
    baseline = await get(session, name)
    preconditions.check(baseline.version, if_match)
    before = _kept(baseline)
    given = data.model_dump(exclude_unset=True)
    if all(before[field] == value for field, value in given.items()):
        return baseline
    baseline.sqlmodel_update(given)
    baseline.version += 1
    baseline.updated_at = now()
    await session.flush()
    after = _kept(baseline)
    await trail.record(session, actor, Action.UPDATE, NOUN, baseline, before=before, after=after)
    return baseline


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a baseline, and its bands with the next rule set."""
    await events.changed(session)
    baseline = await get(session, name)
    preconditions.check(baseline.version, if_match)
    await session.delete(baseline)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, NOUN, baseline, before=_kept(baseline))


def _kept(baseline: Baseline) -> dict[str, Any]:
    return baseline.model_dump(mode="json", include=set(BaselineCreate.model_fields) - {"name"})
