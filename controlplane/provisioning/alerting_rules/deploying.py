"""What of the rules that people write goes into the rule set, and what cannot, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

import rules
from controlplane import events
from controlplane.auth.actor import system
from controlplane.errors import Invalid
from controlplane.provisioning.alerting_rules import expression, queries, service
from controlplane.provisioning.alerting_rules.checking import Checker, alert
from controlplane.provisioning.alerting_rules.models import AlertingRule


@dataclass
class Wanted:
    """The rules that should be in force: as alerts, and the reasons of those that cannot be."""

    alerts: list[rules.Alert] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def give_up(self, faults: Mapping[str, str]) -> None:
        """Take out alerts, for these reasons by name."""
        self.faults.update(faults)
        self.alerts = [alert for alert in self.alerts if alert.name not in faults]


async def wanted(session: AsyncSession, checker: Checker) -> Wanted:
    """Give the rules that should be in force, each kept to its sites as these are now.

    A new release may have an alert of its own by the name of a rule, or be stricter than before.
    """
    found = Wanted()
    for rule in list(await session.scalars(queries.live())):
        found.versions[rule.name] = rule.version
        try:
            checker.refuse_name(rule.name)
            expression.check(rule.expr)
            made = alert(rule, await service.sites(session, rule.site_id))
            rules.written([made], checker.intent)
        except (Invalid, ValueError) as error:
            found.faults[rule.name] = _words(error)
        else:
            found.alerts.append(made)
    return found


def _words(error: Invalid | ValueError) -> str:
    problems = error.problems if isinstance(error, Invalid) else ()
    return "; ".join(problem.message for problem in problems) or str(error)


async def fail(session: AsyncSession, found: Wanted) -> None:
    """Note of each rule that cannot be in force why, unless somebody changed it meanwhile."""
    if not found.faults:
        return
    await events.changed(session)
    for name, reason in found.faults.items():
        rule: AlertingRule | None = await session.scalar(queries.locked(queries.any_rule(name)))
        if rule is not None and rule.version == found.versions[name]:
            await service.fail(session, system("rules"), rule, reason)
