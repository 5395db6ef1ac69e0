"""What alerts came to: how many, how loud, how fast people were, and what makes the most noise."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, extract, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from controlplane.alerts import queries
from controlplane.alerts.models import Alert, AlertStatus
from controlplane.alerts.schemas import Count, Statistics, StatisticsQuery
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.errors import Invalid, Problem

PERIOD = timedelta(days=7)
NOISIEST = 10

Conditions = tuple[ColumnElement[bool], ...]


async def gather(session: AsyncSession, actor: Actor, query: StatisticsQuery) -> Statistics:
    """Give the statistics of the alerts that the actor may hear of."""
    until = query.until or now()
    since = query.since or until - PERIOD
    if since >= until:
        detail = "the period ends before it begins"
        raise Invalid(detail, Problem("/query/since", "period", detail))
    reached = queries.visible(actor)
    firing = (reached, col(Alert.status) == AlertStatus.FIRING)
    period = (reached, col(Alert.starts_at) >= since, col(Alert.starts_at) < until)
    total, acknowledge, repair = await _times(session, period)
    return Statistics(
        since=since,
        until=until,
        firing=await session.scalar(select(func.count()).select_from(Alert).where(*firing)) or 0,
        by_severity=await _count(session, Alert.severity, firing),
        by_state=await _count(session, Alert.state, firing),
        by_site=await _count(session, Alert.site, firing),
        total=total,
        mean_time_to_acknowledge_seconds=acknowledge,
        mean_time_to_repair_seconds=repair,
        noisiest_alertnames=await _count(session, Alert.alertname, period, NOISIEST),
        noisiest_devices=await _count(
            session, Alert.device, (*period, col(Alert.device) != ""), NOISIEST
        ),
    )


async def _times(
    session: AsyncSession, conditions: Conditions
) -> tuple[int, float | None, float | None]:
    """Count, and give the mean times to acknowledge and to repair; null where there are none."""
    statement = select(
        func.count(),
        func.avg(_seconds(Alert.first_acknowledged_at) - _seconds(Alert.starts_at)),
        func.avg(_seconds(Alert.ends_at) - _seconds(Alert.starts_at)),
    ).where(*conditions)
    total, acknowledge, repair = (await session.execute(statement)).one()
    return total, _float(acknowledge), _float(repair)


async def _count(
    session: AsyncSession, column: Any, conditions: Conditions, most: int | None = None
) -> list[Count]:
    """Count by the values of a column, the most frequent first."""
    number = func.count().label("number")
    statement = (
        select(col(column), number)
        .where(*conditions)
        .group_by(col(column))
        .order_by(number.desc(), col(column))
        .limit(most)
    )
    return [Count(value=value, count=count) for value, count in await session.execute(statement)]


def _seconds(moment: Any) -> Any:
    return extract("epoch", col(moment))


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
