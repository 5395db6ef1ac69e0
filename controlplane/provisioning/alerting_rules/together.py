"""What all live rules may be together: each is small, and Prometheus evaluates all of them."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.errors import Conflict
from controlplane.provisioning.alerting_rules import queries
from controlplane.provisioning.alerting_rules.models import AlertingRule, RuleStatus


@dataclass(frozen=True)
class Together:
    """So many rules may be live, and read so many samples when each is evaluated once."""

    rules: int
    samples: int

    async def admit(self, session: AsyncSession, rule: AlertingRule, samples: int) -> None:
        """Note what a rule reads that is to be live, or raise Conflict where it is one too many.

        One that is live already stays so, whatever the bounds have become, unless it reads more.
        """
        count, others = (await session.execute(queries.live_besides(rule.id))).one()
        live = rule.status is RuleStatus.LIVE
        if not live and count >= self.rules:
            most = f"{self.rules:,} may be (CHM_LIVE_RULES_MAX)"
            raise Conflict(f"{count:,} rules are live, and {most}: disable another one first")
        more = not live or samples > rule.samples
        if more and others + samples > self.samples:
            most = f"{self.samples:,} are too many (CHM_LIVE_RULES_MAX_SAMPLES)"
            raise Conflict(
                f"the rule reads {samples:,} samples and the others that are live {others:,}; "
                f"more than {most}: narrow it, or disable another one first"
            )
        rule.samples = samples
