"""What exporters must know of shipped alerts, which traps raise before the rules do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

import rules
from controlplane.errors import ConfigurationError
from controlplane.provisioning.service import rule_intent
from controlplane.provisioning.shipped_alerts import service
from controlplane.settings import Settings


@dataclass(frozen=True)
class Rules:
    """Gives the rules as the snapshot has them (docs/architecture.md, 4.1), by alerts' names.

    Of settings that no rule can have it gives none: there are no rules of them either.
    """

    settings: Settings

    async def __call__(self, session: AsyncSession) -> Mapping[str, Mapping[str, Any]]:
        """Read what was changed, and write down every alert with it."""
        try:
            intent = rule_intent(self.settings)
        except ConfigurationError:
            return {}
        changes = await service.changes(session)
        return {
            alert.name: _rule(alert, changes.get(alert.name, rules.Change()), intent)
            for alert in rules.alerts(intent)
        }


def _rule(alert: rules.Alert, change: rules.Change, intent: rules.Intent) -> dict[str, Any]:
    """Write down a rule; who has it wait longer than it is shipped does not want it at once."""
    hold = alert.hold if change.hold is None else change.hold
    url = rules.dashboard_url(alert, intent).replace(rules.DEVICE, "$device")
    return {
        "at_once": change.enabled and hold <= alert.hold,
        "for_seconds": hold,
        "flap_seconds": alert.flaps_within or intent.flap_within,
        **({"dashboard_url": url} if url else {}),
    }
