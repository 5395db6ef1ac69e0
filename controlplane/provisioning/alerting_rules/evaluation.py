"""A rule evaluated before it is in force: what it costs, and what it would have done."""

from dataclasses import dataclass
from datetime import timedelta

import promql_parser

import rules
from controlplane.clients.prometheus import Prometheus, Refused
from controlplane.errors import Invalid, Problem
from controlplane.jobs.progress import Progress
from controlplane.provisioning.alerting_rules import cost, expression, preview
from controlplane.provisioning.alerting_rules.schemas import CostRead
from controlplane.provisioning.alerting_rules.together import Together

SAMPLES_AT_ONCE = 200_000_000  # of all evaluations of a preview: about 15 seconds' work
SAMPLES_OF_A_JOB = 10_000_000_000


@dataclass(frozen=True)
class Evaluator:
    """What it takes: the Prometheus that has the samples, and what a rule may ask of it."""

    prometheus: Prometheus
    intent: rules.Intent
    most: int
    """Samples that an evaluation may read."""
    together: Together

    async def cost(self, alert: rules.Alert) -> CostRead:
        """Say what an evaluation costs as things are now."""
        tree = promql_parser.parse(alert.expr)
        found = await cost.estimate(self.prometheus, tree, self.intent.scrape_interval)
        words = cost.words(found, self.intent.sample_interval)
        return CostRead(series=found.series, samples=found.samples, words=words)

    async def afford(self, alert: rules.Alert) -> CostRead:
        """Give the cost of an evaluation, or raise Invalid where that is more than a rule may."""
        found = await self.cost(alert)
        if found.samples > self.most:
            detail = f"the rule {found.words}; more than {self.most:,} samples are too many"
            raise Invalid(detail, Problem(expression.POINTER, "cost", detail))
        return found

    async def admit(self, alert: rules.Alert) -> CostRead:
        """Give the cost; raise Invalid where that is too much, or the rule fails as things are now.

        The words leave out of which series: whoever may enable a rule may not see them all.
        """
        found = await self.afford(alert)
        try:
            await self.prometheus.query(f"count(\n{alert.expr}\n)")
        except Refused as error:
            why = error.detail.rpartition(";")[2].strip()
            detail = f"the rule {alert.name} fails when it is evaluated: {why}"
            raise Invalid(detail, Problem(expression.POINTER, "evaluation", detail)) from error
        return found

    def total(self, found: CostRead, days: int) -> int:
        """Say how many samples a preview of so many days reads."""
        evaluations = timedelta(days=days).total_seconds() / self.intent.sample_interval
        return round(found.samples * evaluations)

    async def look_back(
        self, alert: rules.Alert, days: int, progress: Progress | None = None
    ) -> preview.Past:
        """Evaluate a rule over the last days."""
        span = timedelta(days=days)
        interval = self.intent.sample_interval
        return await preview.look_back(self.prometheus, alert, span, interval, progress)
