"""Windows as silences of a real Alertmanager."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import update
from sqlmodel import col

from controlplane.clients.alertmanager import Alertmanager, Matcher, PostedAlert, Silence
from controlplane.devices import names
from controlplane.devices.models import FormerName
from controlplane.errors import Unavailable
from controlplane.maintenance import silences
from controlplane.maintenance.keeper import Keeper
from tests.controlplane.alertmanager import Server, server
from tests.controlplane.conftest import Sessions
from tests.controlplane.maintenance.test_endpoints import INVENTORY, URL, plan
from tests.controlplane.sink import Sink

CONFIG = """\
route: {{receiver: people, group_by: ["..."], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: people
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""
HOUR = timedelta(hours=1)
Active = Callable[[], Awaitable[list[Silence]]]


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink.running() as sink:
        yield sink


@pytest.fixture
async def real(tmp_path: Path, sink: Sink) -> AsyncIterator[Server]:
    real = server(tmp_path, CONFIG.format(url=sink.url))
    async with real.running():
        yield real


@pytest.fixture
async def alertmanager(real: Server) -> AsyncIterator[Alertmanager]:
    async with Alertmanager.at(real.url) as client:
        yield client


@pytest.fixture
async def keeper(sessions: Sessions, alertmanager: Alertmanager, client: AsyncClient) -> Keeper:
    response = await client.post("/api/v1/devices/import", json=INVENTORY)
    assert response.status_code == 200, response.text
    return Keeper(sessions, alertmanager)


@pytest.fixture
def active(alertmanager: Alertmanager) -> Active:
    """Give a function that gives the silences that are in force or to come."""

    async def active() -> list[Silence]:
        return [s for s in await alertmanager.silences() if s.state != "expired"]

    return active


def down(device: str, **labels: str) -> PostedAlert:
    named = {"alertname": "DeviceDown", "device": device, **labels}
    start = datetime.now(UTC)
    return PostedAlert(named, {}, start, start + HOUR)


def silenced(silence: Silence) -> tuple[str, bool]:
    (matcher,) = silence.matchers
    assert (matcher.name, matcher.equal) == ("device", True)
    return matcher.value, matcher.regex


async def test_one_silence_per_occurrence(
    client: AsyncClient, keeper: Keeper, active: Active
) -> None:
    """Each time a window opens within a day has its silence, and keeping twice adds none."""
    now = datetime.now(UTC)
    start = f"{now - timedelta(minutes=10):%Y-%m-%dT%H:%M:%S}"
    await plan(client, devices=["core", "far"], starts_at=start, recurrence="FREQ=DAILY")
    for _ in range(2):
        await keeper.keep()
        first, second = sorted(await active(), key=lambda s: s.starts_at)
        assert (first.state, second.state) == ("active", "pending")
        assert silenced(first) == silenced(second) == ("core|far", True)
        assert second.ends_at - first.ends_at == timedelta(days=1)
        assert second.ends_at - second.starts_at == HOUR


async def test_a_silence_follows_window_and_inventory(
    client: AsyncClient, keeper: Keeper, active: Active
) -> None:
    """A changed inventory and a changed end arrive; a cancelled window ends."""
    await plan(client, sites=["oslo"])
    await keeper.keep()
    (before,) = await active()
    assert silenced(before) == ("edge1|edge2", True)
    await client.patch("/api/v1/devices/edge2", json={"site": "south"})
    await keeper.keep()
    (moved,) = await active()
    assert silenced(moved) == ("edge1", False)
    await client.patch(f"{URL}/work", json={"duration": 7200})
    await keeper.keep()
    (longer,) = await active()
    assert longer.id == moved.id, "only its end has changed"
    assert longer.ends_at - moved.ends_at == HOUR
    await client.delete(f"{URL}/work")
    await keeper.keep()
    assert await active() == []


async def test_a_former_name_stays_silent_for_a_while(
    client: AsyncClient, keeper: Keeper, active: Active, sessions: Sessions
) -> None:
    """What fires under the old name ends unheard, unless another device has that name."""
    await plan(client, devices=["far"])
    await client.patch("/api/v1/devices/spare", json={"status": "maintenance"})
    for name in ("far", "spare"):
        renamed = await client.patch(f"/api/v1/devices/{name}", json={"name": f"{name}2"})
        assert renamed.status_code == 200, renamed.text
    await keeper.keep()
    assert {silenced(s) for s in await active()} == {
        *(("far|far2", True), ("spare|spare2", True)),
    }
    taken = {"name": "far", "address": "10.0.0.9"}
    assert (await client.post("/api/v1/devices", json=taken)).status_code == 201
    async with sessions.begin() as session:
        theirs = col(FormerName.name) == "spare"
        long_ago = datetime.now(UTC) - names.LATE
        await session.execute(update(FormerName).where(theirs).values(until=long_ago))
    await keeper.keep()
    assert {silenced(s) for s in await active()} == {("far2", False), ("spare2", False)}


async def test_foreign_silences_are_left_alone(
    client: AsyncClient, keeper: Keeper, active: Active, alertmanager: Alertmanager
) -> None:
    """What people silence themselves stays, also where it says the same; a double of ours goes."""
    await plan(client, devices=["core"])
    await keeper.keep()
    (ours,) = await active()
    foreign = replace(ours, id="", created_by="ann")
    by_hand = await alertmanager.set_silence(foreign)
    await alertmanager.set_silence(replace(ours, id=""))
    assert len(await active()) == 3
    await keeper.keep()
    left = await active()
    assert len(left) == 2
    assert {silence.created_by for silence in left} == {"ann", "chm"}
    await client.delete(f"{URL}/work")
    await keeper.keep()
    assert [silence.id for silence in await active()] == [by_hand]


async def test_the_status_maintenance_silences(
    client: AsyncClient, keeper: Keeper, active: Active
) -> None:
    """A device whose status says that it is worked on is silent for as long as it says so."""
    await client.patch("/api/v1/devices/spare", json={"status": "maintenance"})
    await keeper.keep()
    (silence,) = await active()
    assert silenced(silence) == ("spare", False)
    left = silence.ends_at - datetime.now(UTC)
    assert timedelta(minutes=29) < left <= HOUR
    await client.patch("/api/v1/devices/spare", json={"status": "active"})
    await keeper.keep()
    assert await active() == []


async def test_what_alertmanager_lost_is_made_again(
    client: AsyncClient, sessions: Sessions, tmp_path: Path, sink: Sink
) -> None:
    """Keeping while Alertmanager is down changes nothing, and an empty one is filled again."""
    await client.post("/api/v1/devices/import", json=INVENTORY)
    await plan(client, devices=["core"])
    for name in ("first", "second"):  # two folders: the second one knows nothing of the first
        folder = tmp_path / name
        folder.mkdir()
        real = server(folder, CONFIG.format(url=sink.url))
        async with Alertmanager.at(real.url) as alertmanager:
            keeper = Keeper(sessions, alertmanager)
            await keeper.keep()  # nothing listens there yet
            with pytest.raises(Unavailable):
                await alertmanager.silences()
            async with real.running():
                await keeper.keep()
                (silence,) = await alertmanager.silences()
                assert silenced(silence) == ("core", False)


async def test_at_the_end_of_a_window_people_are_told(
    client: AsyncClient, keeper: Keeper, alertmanager: Alertmanager, sink: Sink
) -> None:
    """Nobody hears of what is down in a window; what is still down when it ends is told then."""
    await plan(client, devices=["core"])
    await keeper.keep()
    await alertmanager.post_alerts([down("core"), down("far")])
    await sink.wait_for("far")
    assert sink.devices() == {"far"}
    core = next(a for a in await alertmanager.alerts() if a.labels["device"] == "core")
    assert len(core.silenced_by) == 1
    await client.delete(f"{URL}/work")
    await keeper.keep()
    await sink.wait_for("core")


async def test_a_window_that_ends_by_itself(
    client: AsyncClient, keeper: Keeper, alertmanager: Alertmanager, sink: Sink
) -> None:
    """The silence ends by the clock of Alertmanager, whether anything of ours runs or not."""
    ends = datetime.now(UTC) + timedelta(seconds=4)
    start = f"{ends - HOUR:%Y-%m-%dT%H:%M:%S}"
    planned = await plan(client, devices=["core"], starts_at=start)
    await keeper.keep()
    await alertmanager.post_alerts([down("core")])
    first = await sink.wait_for("core")
    assert first.received_at >= datetime.fromisoformat(planned["occurrence"]["end"])


async def test_names_are_no_patterns(
    client: AsyncClient, keeper: Keeper, alertmanager: Alertmanager
) -> None:
    """A dot in a name means a dot: no other device is silenced by a name that looks alike."""
    for name in ("a.b", "a-b"):
        device = {"name": name, "address": f"10.0.1.{len(name) + ord(name[1])}"}
        assert (await client.post("/api/v1/devices", json=device)).status_code == 201
    await plan(client, devices=["a.b", "core"])
    await keeper.keep()
    await alertmanager.post_alerts([down("a.b"), down("a-b"), down("core")])
    muted = {a.labels["device"]: bool(a.silenced_by) for a in await alertmanager.alerts()}
    assert muted == {"a.b": True, "a-b": False, "core": True}


async def test_two_keepers_at_once(client: AsyncClient, keeper: Keeper, active: Active) -> None:
    """Should two run at the same moment, the next one leaves one silence."""
    await plan(client, devices=["core"])
    await asyncio.gather(keeper.keep(), keeper.keep())
    await keeper.keep()
    assert len(await active()) == 1


def test_a_hand_written_comment_is_not_ours() -> None:
    """The mark counts only in what we made ourselves."""
    start = datetime.now(UTC)
    marked: Any = Silence(
        (Matcher("device", "x"),),
        start,
        start + HOUR,
        "bob",
        "see [chm-maintenance:status]",
        "1",
        "active",
    )
    assert silences.changes({}, [marked]).to_expire == ()
    assert silences.changes({}, [replace(marked, created_by="chm")]).to_expire == ("1",)
