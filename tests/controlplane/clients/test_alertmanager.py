from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.alerts.fingerprints import fingerprint
from controlplane.clients.alertmanager import (
    Alertmanager,
    Matcher,
    NotRunning,
    PostedAlert,
    Refused,
    Silence,
    fake,
)
from controlplane.errors import NotFound, Unavailable
from tests.controlplane.alertmanager import server

MINUTE = timedelta(minutes=1)
LABELS = {"alertname": "DeviceDown", "device": 'core1 "x"', "site": "Ærø", "empty": ""}


@pytest.fixture(scope="module")
async def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Alertmanager]:
    """Give a client of a real Alertmanager."""
    real = server(tmp_path_factory.mktemp("alertmanager"))
    async with real.running(), Alertmanager.at(real.url) as client:
        yield client


def soon() -> datetime:
    return datetime.now(UTC) + 10 * MINUTE


def silence(device: str, **changes: Any) -> Silence:
    made = Silence(
        (Matcher("device", device),), datetime.now(UTC), soon(), "ann", "a flood; replacing it"
    )
    return replace(made, **changes)


class TestAlerts:
    async def test_an_alert_that_was_told_is_there(self, alertmanager: Alertmanager) -> None:
        """It has the fingerprint that we foresaw, and its start to the millisecond."""
        started = datetime.now(UTC) - MINUTE
        await alertmanager.post_alerts([PostedAlert(LABELS, {"summary": "down"}, started, soon())])
        found = {alert.fingerprint: alert for alert in await alertmanager.alerts()}
        alert = found[fingerprint(LABELS)]
        assert alert.labels == {name: value for name, value in LABELS.items() if value}
        assert alert.annotations == {"summary": "down"}
        assert alert.starts_at == started.replace(microsecond=started.microsecond // 1000 * 1000)

    async def test_an_alert_that_is_over_is_gone(self, alertmanager: Alertmanager) -> None:
        """Told with an end in the past, it is no longer among those that fire."""
        labels = {"alertname": "Short"}
        started = datetime.now(UTC) - MINUTE
        await alertmanager.post_alerts([PostedAlert(labels, {}, started, soon())])
        assert fingerprint(labels) in {a.fingerprint for a in await alertmanager.alerts()}
        await alertmanager.post_alerts([PostedAlert(labels, {}, started, datetime.now(UTC))])
        assert fingerprint(labels) not in {a.fingerprint for a in await alertmanager.alerts()}

    async def test_silenced_alerts_are_told_with_what_silences_them(
        self, alertmanager: Alertmanager
    ) -> None:
        """An alert that nobody is told of is in the list, with the id of its silence."""
        labels = {"alertname": "Quiet", "device": "quiet1"}
        made = await alertmanager.set_silence(silence("quiet1"))
        await alertmanager.post_alerts([PostedAlert(labels, {}, datetime.now(UTC), soon())])
        found = {alert.fingerprint: alert for alert in await alertmanager.alerts()}
        assert found[fingerprint(labels)].silenced_by == (made,)

    async def test_a_label_that_is_none_is_refused(self, alertmanager: Alertmanager) -> None:
        """Alertmanager's reason reaches the caller."""
        alert = PostedAlert({"not a name": "x"}, {}, datetime.now(UTC), soon())
        with pytest.raises(Refused, match="not a name"):
            await alertmanager.post_alerts([alert])


class TestSilences:
    async def test_a_silence_is_made_extended_and_ended(self, alertmanager: Alertmanager) -> None:
        """Extending keeps the id; ending it leaves it as expired."""
        made = silence("core1", matchers=(Matcher("device", "core1|core2", True, False),))
        silence_id = await alertmanager.set_silence(made)
        there = await alertmanager.silence(silence_id)
        assert (there.state, there.created_by) == ("active", "ann")
        assert there.comment == "a flood; replacing it"
        assert there.matchers == made.matchers

        later = replace(there, ends_at=there.ends_at + MINUTE)
        assert await alertmanager.set_silence(later) == silence_id
        assert (await alertmanager.silence(silence_id)).ends_at == later.ends_at

        await alertmanager.expire_silence(silence_id)
        states = {s.id: s.state for s in await alertmanager.silences()}
        assert states[silence_id] == "expired"

    async def test_an_unknown_silence_is_not_found(self, alertmanager: Alertmanager) -> None:
        """Also for one whose id would be a way to another path."""
        with pytest.raises(NotFound):
            await alertmanager.silence("5d1ba2b0-0000-4000-8000-000000000000")
        with pytest.raises((NotFound, Refused)):
            await alertmanager.silence("../status")

    async def test_a_silence_of_everything_is_refused(self, alertmanager: Alertmanager) -> None:
        """A matcher that matches what has no such label silences all: Alertmanager says no."""
        with pytest.raises(Refused):
            await alertmanager.set_silence(silence("", matchers=(Matcher("device", ""),)))


async def test_status_says_since_when(alertmanager: Alertmanager) -> None:
    """Its start is what tells a new Alertmanager that knows nothing yet from one that does."""
    status = await alertmanager.status()
    assert status.cluster == "disabled"
    assert status.started_at < datetime.now(UTC)


@pytest.mark.parametrize(
    ("problem", "kind"),
    [(httpx.ConnectError("no"), NotRunning), (httpx.ReadTimeout("slow"), Unavailable)],
)
async def test_silence_is_unavailable(
    problem: httpx.TransportError, kind: type[Unavailable]
) -> None:
    """No answer is an error of its own, apart from nobody listening."""
    client = fake({("GET", "/alerts"): problem})
    with pytest.raises(kind) as error:
        await client.alerts()
    assert type(error.value) is kind


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        '[{"fingerprint": "00", "labels": {}',
        [{"fingerprint": "00"}],
        {"alerts": []},
        [{"labels": {}, "annotations": {}, "startsAt": "2026-01-01T00:00:00", "fingerprint": "0"}],
    ],
)
async def test_half_an_answer_is_none(body: Any) -> None:
    """A truncated list is not taken for a short one."""
    with pytest.raises(Unavailable, match="not Alertmanager"):
        await fake({("GET", "/alerts"): (200, body)}).alerts()


async def test_nothing_listens(tmp_path: Path) -> None:
    """A real refused connection is `NotRunning`."""
    async with Alertmanager.at(server(tmp_path).url) as client:
        assert not await client.ready()
        with pytest.raises(NotRunning):
            await client.alerts()
