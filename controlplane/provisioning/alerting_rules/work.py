"""Previews as jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.clients.prometheus import Prometheus
from controlplane.jobs.progress import Progress
from controlplane.provisioning.alerting_rules.checking import Checker
from controlplane.provisioning.alerting_rules.evaluation import Evaluator
from controlplane.provisioning.alerting_rules.previewing import Previewer
from controlplane.provisioning.alerting_rules.schemas import PreviewQuery, RuleCreate
from controlplane.provisioning.alerting_rules.together import Together
from controlplane.provisioning.service import rule_intent
from controlplane.settings import Settings

KIND = "rule-preview"


def previewer(settings: Settings, prometheus: Prometheus) -> Previewer:
    """Give what makes previews with these settings."""
    intent = rule_intent(settings)
    together = Together(settings.live_rules_max, settings.live_rules_max_samples)
    evaluator = Evaluator(prometheus, intent, settings.rule_max_samples, together)
    return Previewer(Checker(intent), evaluator)


@dataclass(frozen=True)
class Preview:
    """Looks back with the rule that is the content of a job; the result is the report."""

    previewer: Previewer

    async def __call__(
        self,
        session: AsyncSession,
        actor: Actor,
        content: str,
        options: Mapping[str, Any],
        progress: Progress,
    ) -> dict[str, Any]:
        """Check the rule again, as whoever asked may write it now, and look back."""
        days = PreviewQuery.model_validate(options).days
        data = RuleCreate.model_validate_json(content)
        prepared = await self.previewer.prepare(session, actor, data, days)
        report = await self.previewer.run(session, actor, prepared, progress)
        return report.model_dump(mode="json")
