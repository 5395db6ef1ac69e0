"""Look back over what a rule would have done: who may, how much at once, and of whom they hear."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

import rules
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import require
from controlplane.auth.permissions import Permission
from controlplane.database import now
from controlplane.errors import Busy, Invalid, Problem
from controlplane.jobs.progress import Progress
from controlplane.provisioning.alerting_rules import preview, queries, service
from controlplane.provisioning.alerting_rules.checking import Checker
from controlplane.provisioning.alerting_rules.evaluation import SAMPLES_OF_A_JOB, Evaluator
from controlplane.provisioning.alerting_rules.schemas import Costly, PreviewRead, RuleCreate

PLACES_LOCK = 0x43484D06  # advisory, with the place
PLACES = 2  # previews at once, of all replicas: each keeps Prometheus and a connection busy
RETRY_SECONDS = 10.0
DEVICES = Permission.DEVICES_READ


@dataclass(frozen=True)
class Previewer:
    """What previews take: the checks and the Prometheus of the settings."""

    checker: Checker
    evaluator: Evaluator

    async def prepare(
        self, session: AsyncSession, actor: Actor, data: RuleCreate, days: int
    ) -> "Prepared":
        """Check a rule and what a preview of it reads; raise Invalid, or Forbidden."""
        alert = await service.would_be(session, actor, self.checker, data)
        await _refuse_unseen(session, actor, data.site)
        cost = await self.evaluator.afford(alert)
        total = self.evaluator.total(cost, days)
        if total > SAMPLES_OF_A_JOB:
            detail = f"{days} days would read {total:,} samples; look less far back"
            raise Invalid(detail, Problem("/query/days", "cost", detail))
        checked = Costly(expr=alert.expr, warnings=service.warnings(data.expr), cost=cost)
        return Prepared(alert, checked, days, total)

    async def run(
        self,
        session: AsyncSession,
        actor: Actor,
        prepared: "Prepared",
        progress: Progress | None = None,
    ) -> PreviewRead:
        """Tell what a rule would have done, as far as the actor may know, or raise Busy."""
        await _take_place(session)
        past = await self.evaluator.look_back(prepared.alert, prepared.days, progress)
        found = await asyncio.to_thread(preview.outcomes, past, prepared.alert)
        since = now() - timedelta(days=prepared.days)
        seen = await service.visible(session, actor, found, since)
        interval = self.evaluator.intent.sample_interval
        return preview.told(past, seen, prepared.checked, prepared.days, interval)


@dataclass(frozen=True)
class Prepared:
    """A preview that may be run: of which alert, over how many days, reading how many samples."""

    alert: rules.Alert
    checked: Costly
    days: int
    samples: int


async def stored(session: AsyncSession, actor: Actor, name: str) -> RuleCreate:
    """Give a stored rule as if it were new, to who may write it."""
    rule = await service.get(session, actor, name, Permission.RULES_WRITE)
    site = None if rule.site_id is None else await session.scalar(queries.site(rule.site_id))
    fields = rule.model_dump(include=set(RuleCreate.model_fields))
    return RuleCreate.model_validate({**fields, "site": site})


async def _refuse_unseen(session: AsyncSession, actor: Actor, site: str | None) -> None:
    """Raise Forbidden where the result would tell of devices that the actor does not see."""
    require(actor, DEVICES, everywhere=site is None)
    if site is not None:
        found = await session.scalar(queries.site_id(site))
        if found is not None:
            await restrictor.check_site(session, actor, DEVICES, found)


async def _take_place(session: AsyncSession) -> None:
    """Take one of the places until the commit, or raise Busy."""
    for place in range(PLACES):
        if await session.scalar(select(func.pg_try_advisory_xact_lock(PLACES_LOCK, place))):
            return
    raise Busy(f"{PLACES} previews are being made at this moment", RETRY_SECONDS)
