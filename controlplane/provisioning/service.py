"""Put the rule set in force that the settings and the operator's files ask for."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

import rules
from controlplane import events
from controlplane.audit import service as audit
from controlplane.audit.models import Action, Outcome
from controlplane.auth.actor import system
from controlplane.clients.prometheus import Prometheus, Refused
from controlplane.errors import ConfigurationError, NotFound, Unavailable
from controlplane.metrics.baselines import queries as baseline_queries
from controlplane.metrics.exposition import Family, Sample
from controlplane.provisioning import deployment, queries, ruleset
from controlplane.provisioning.alerting_rules import deploying
from controlplane.provisioning.alerting_rules.checking import Checker
from controlplane.provisioning.deployment import Deployment, Target
from controlplane.provisioning.differences import differences
from controlplane.provisioning.models import DeploymentStatus, RuleRevision, RuleSetFiles
from controlplane.provisioning.revisions import Revisions
from controlplane.provisioning.ruleset import RuleSet
from controlplane.provisioning.schemas import RuleSetDifference
from controlplane.provisioning.shipped_alerts import service as alerting
from controlplane.settings import Settings

log = logging.getLogger(__name__)

# "CHMR": one writer of rule sets at a time, however many workers there are.
LOCK = text("SELECT pg_try_advisory_xact_lock(1128811858)")


def rule_intent(settings: Settings) -> rules.Intent:
    """Give what settings say of the rules; raise ConfigurationError where rules cannot have it."""
    try:
        return rules.Intent(
            public_url=settings.public_url,
            evaluation_interval=settings.evaluation_interval,
            scrape_interval=settings.scrape_interval,
            down_for=settings.down_for,
            flap_window=settings.flap_window,
            grafana_url=settings.grafana_url,
            objective=settings.availability_objective,
        )
    except ValueError as error:
        raise ConfigurationError(f"a setting cannot be used: {error}") from error


async def wanted(session: AsyncSession, settings: Settings) -> RuleSet:
    """Give the rule set that settings, people and the operator's files ask for."""
    checker = Checker(await shape(session, settings))
    asked = await deploying.wanted(session, checker)
    return ruleset.build(checker.intent, settings.local_rules, asked.alerts)


async def shape(session: AsyncSession, settings: Settings) -> rules.Intent:
    """Give what settings and people say of the shipped rules; see `rule_intent`."""
    return replace(
        rule_intent(settings),
        changes=await alerting.changes(session),
        baselines=await _baselines(session),
    )


async def _baselines(session: AsyncSession) -> tuple[rules.Baseline, ...]:
    found = await session.scalars(baseline_queries.enabled())
    return tuple(
        rules.Baseline(one.name, one.aggregate.value, one.method.value, one.by.value)
        for one in found
    )


@dataclass(frozen=True)
class Deployer:
    """What deploying takes: what is wanted, where history is kept, and who runs the rules."""

    settings: Settings
    sessions: async_sessionmaker[AsyncSession]
    prometheus: Prometheus

    async def deploy(self) -> Deployment | None:
        """Bring Prometheus to run the rule set; nothing where another worker is at it."""
        async with self.sessions.begin() as session:
            if not await session.scalar(LOCK):
                return None
            result = await self._attempt(session)
            await record(session, result)
        return result

    async def _attempt(self, session: AsyncSession) -> Deployment:
        """Deploy all that is wanted; a rule that somebody wrote never keeps out all others."""
        try:
            checker = Checker(await shape(session, self.settings))
        except ConfigurationError as error:
            return Deployment("", "failed", error.detail, running=False)
        wanted = await deploying.wanted(session, checker)
        result = await self._put(session, checker.intent, wanted.alerts)
        if result.refused and wanted.alerts:
            faults = await self._faults(checker, wanted.alerts)
            # Where both parsers are content with each of them, it may be any of them, or none.
            suspects = faults or {alert.name: result.detail for alert in wanted.alerts}
            others = [alert for alert in wanted.alerts if alert.name not in suspects]
            without = await self._put(session, checker.intent, others)
            if faults or without.running:
                wanted.give_up(suspects)
                result = without
        await deploying.fail(session, wanted)
        return result

    async def _faults(self, checker: Checker, alerts: Sequence[rules.Alert]) -> dict[str, str]:
        """Give why promtool, or else Prometheus, refuses those of the alerts that it does."""
        found = await checker.faults(alerts)
        if found:
            return found
        for alert in alerts:
            try:
                await self.prometheus.format(alert.expr)
            except Refused as error:
                found[alert.name] = error.detail
            except Unavailable:
                break  # whoever does not answer refuses nothing
        return found

    async def _put(
        self, session: AsyncSession, intent: rules.Intent, alerts: Sequence[rules.Alert]
    ) -> Deployment:
        settings = self.settings
        try:
            asked = ruleset.build(intent, settings.local_rules, alerts)
        except ConfigurationError as error:
            return Deployment("", "failed", error.detail, running=False)
        await session.execute(queries.keep(asked))
        await session.execute(queries.forget())
        revisions = Revisions(settings.prometheus_folder / "rules.d")
        return await deployment.deploy(asked, Target(revisions, self.prometheus))


async def record(session: AsyncSession, result: Deployment) -> None:
    """Keep how an attempt went, unless it went as the one before."""
    status = DeploymentStatus.FAILED if result.status == "failed" else DeploymentStatus.DEPLOYED
    last = await session.scalar(queries.newest())
    entry = RuleRevision(revision=result.revision, status=status, detail=result.detail)
    if last is not None and last.outcome == entry.outcome:
        return
    log.log(
        logging.ERROR if status is DeploymentStatus.FAILED else logging.INFO,
        "rule set %s %s: %s",
        *(result.revision, status.value, result.detail),
    )
    await events.changed(session)
    session.add(entry)
    await audit.record(
        session,
        Action.CONFIG_CHANGE,
        who=system("rules").who,
        object_type="ruleset",
        object_name=result.revision,
        before={"revision": last.revision} if last else None,
        after={"revision": result.revision, "detail": result.detail},
        outcome=Outcome.FAILURE if status is DeploymentStatus.FAILED else Outcome.SUCCESS,
    )


async def files(session: AsyncSession, revision: str) -> RuleSetFiles:
    """Give the files of a rule set, or raise NotFound."""
    found = await session.scalar(queries.files(revision))
    if found is None:
        raise NotFound(f"the files of rule set {revision!r} are not kept")
    return found


async def compare(
    session: AsyncSession, revision: str, against: str | None = None
) -> RuleSetDifference:
    """Tell what a rule set changes of another; without one, of that in force before it."""
    after = await files(session, revision)
    against = against or await session.scalar(queries.before(revision)) or ""
    before = (await files(session, against)).files if against else {}
    return RuleSetDifference(
        revision=revision, against=against, files=differences(before, after.files)
    )


async def intent(session: AsyncSession) -> Iterable[Family]:
    """Say whether the newest rule set is in force, for the alert that tells when it is not."""
    last = await session.scalar(queries.newest())
    failed = last is not None and last.status is DeploymentStatus.FAILED
    help_text = "1 while the newest rendered rule set is not the one in force."
    return [Family("chm_ruleset_deployment_failed", help_text, [Sample(float(failed))])]
