"""Webhooks in any order, on a real database."""

from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from controlplane.alerts import service
from controlplane.alerts.models import Alert, AlertStep
from controlplane.alerts.schemas import WebhookAlert
from tests.controlplane.conftest import Sessions

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = count(1)
Message = tuple[str, int]
# Three outages of one alert, each of them told when it begins and when it is over.
STORY: tuple[Message, ...] = tuple(
    (status, n) for n in range(3) for status in ("firing", "resolved")
)


def message(fingerprint: str, told: Message) -> WebhookAlert:
    status, number = told
    start = MIDNIGHT + number * timedelta(hours=1)
    body: dict[str, Any] = {
        "status": status,
        "labels": {"alertname": "DeviceDown", "device": "core1"},
        "startsAt": start,
        "fingerprint": fingerprint,
    }
    over = {"endsAt": start + timedelta(minutes=10)} if status == "resolved" else {}
    return WebhookAlert.model_validate(body | over)


async def outcome(sessions: Sessions, story: list[Message]) -> list[Any]:
    """Tell a story in webhooks of one alert each; give the rows with the count of each step."""
    fingerprint = f"{next(NUMBERS):016x}"
    for told in story:
        async with sessions.begin() as session:
            await service.ingest(session, [message(fingerprint, told)])
    async with sessions() as session:
        rows = await session.scalars(
            select(Alert)
            .where(col(Alert.fingerprint) == fingerprint)
            .order_by(col(Alert.starts_at))
        )
        return [
            (row.starts_at, row.ends_at, row.state.value, await _steps(session, row))
            for row in rows
        ]


async def _steps(session: Any, row: Alert) -> list[str]:
    steps = await session.scalars(select(AlertStep).where(AlertStep.alert_id == row.id))
    return sorted(step.step.value for step in steps)


@given(st.permutations(STORY), st.lists(st.sampled_from(STORY), max_size=4))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_order_and_any_repetition(
    sessions: Sessions, story: list[Message], again: list[Message]
) -> None:
    """Three outages are three rows, begun once and ended once, however they were told."""
    rows = await outcome(sessions, [*story, *again])
    assert rows == [
        (
            MIDNIGHT + n * timedelta(hours=1),
            MIDNIGHT + n * timedelta(hours=1) + timedelta(minutes=10),
            "resolved",
            ["fired", "resolved"],
        )
        for n in range(3)
    ]


async def test_every_order_of_an_end_and_a_new_outage(sessions: Sessions) -> None:
    """An outage that goes on is there, also where the end of the one before it came last."""
    going_on = STORY[:3]
    for story in permutations(going_on):
        over, fires = await outcome(sessions, list(story))
        assert over[1:] == (MIDNIGHT + timedelta(minutes=10), "resolved", ["fired", "resolved"])
        assert fires[1:] == (None, "active", ["fired"])
