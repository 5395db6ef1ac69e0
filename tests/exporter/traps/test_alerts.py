"""How long an alert of a trap is told, and who tells its end."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from exporter.inventory import Rule
from exporter.telemetry import Telemetry
from exporter.traps import Alerts
from exporter.traps.alerts import Firing, Key

KEY = Key("edge1", "linkDown", "2")
LABELS = {"alertname": "InterfaceDown", "device": "edge1"}


@dataclass
class Told:
    """Alerts, and what of them reached the Alertmanager."""

    alerts: Alerts
    posted: list[dict[str, Any]] = field(default_factory=list)

    async def began(self, ago: timedelta, **rule: Any) -> None:
        """Have an alert that lasts since some time."""
        since = datetime.now(UTC) - ago

        async def look() -> Firing | None:
            return Firing(LABELS, {}, look)

        await self.alerts.fire(KEY, Firing(LABELS, {}, look, Rule(**rule), since))
        self.posted.clear()


@pytest.fixture
async def told(telemetry: Telemetry) -> AsyncIterator[Told]:
    def take(request: httpx.Request) -> httpx.Response:
        made.posted.extend(json.loads(request.content))
        return httpx.Response(200)

    transport = httpx.MockTransport(take)
    async with httpx.AsyncClient(transport=transport, base_url="http://alertmanager") as client:
        made = Told(Alerts([client], telemetry))
        yield made


@pytest.mark.parametrize(
    ("rule", "ends"),
    [
        ({}, 0),
        ({"for_seconds": 0}, 0),
        ({"for_seconds": 300}, 0),
        ({"for_seconds": 600}, 1),
        ({"for_seconds": 3600}, 1),
    ],
)
async def test_the_end(told: Told, rule: dict[str, Any], ends: int) -> None:
    """It is told until the rule may fire, by the time that this one has; then the rule tells it."""
    await told.began(timedelta(minutes=5), **rule)
    await told.alerts.resolve(KEY)

    assert len(told.posted) == ends
    assert not told.alerts.firing


@pytest.mark.parametrize(
    ("minutes", "rule", "told_again"),
    [
        (14, {}, 1),
        (15, {}, 0),
        (119, {"for_seconds": 3600}, 1),
        (120, {"for_seconds": 3600}, 0),
    ],
)
async def test_until_the_rule_has_its_word(
    told: Told, minutes: int, rule: dict[str, Any], told_again: int
) -> None:
    """What lasts is told until the rule must have fired: a gap would be an end and a beginning."""
    await told.began(timedelta(minutes=minutes), **rule)
    await told.alerts.again(datetime.now(UTC))

    assert len(told.posted) == len(told.alerts.firing) == told_again
