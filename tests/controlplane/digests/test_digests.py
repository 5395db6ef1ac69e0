"""A channel with a cap, on a real Alertmanager: a storm is so many messages and one digest."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.auth.permissions import Permission
from controlplane.clients import alertmanager
from controlplane.digests.telling import Sender
from tests.controlplane.conftest import Service
from tests.controlplane.digests.conftest import CHANNELS, World
from tests.controlplane.notifications.running import until

CAP = {"notifications": 5, "seconds": 600}
ONE = {"notifications": 1, "seconds": 600}
DIGEST = "NotificationDigest"
NOBODY = alertmanager.fake({})  # an Alertmanager that takes nothing


def alert(number: int, severity: str = "warning", **labels: str) -> dict[str, str]:
    """Give an alert of a site of its own, so that Alertmanager groups it with no other."""
    named = {"alertname": "PacketLoss", "severity": severity, "device": f"sw{number}"}
    return {**named, "site": f"site{number}", "alertclass": "symptom", **labels}


def counted(summary: str) -> dict[str, int]:
    """Read what a digest counts, by severity."""
    return {word: int(count) for count, word in re.findall(r"(\d+) (critical|warning)", summary)}


async def test_a_storm_is_five_messages_and_a_digest(world: World) -> None:
    """Sixty alerts in a moment: five are told, the rest by one digest, all counted; then ends."""
    storm = [alert(n, "critical" if n % 3 == 0 else "warning") for n in range(60)]
    await world.begin(CAP)
    await world.fire(*storm)
    await world.heard(60)
    await world.wait_for(5)
    await world.sender().run()  # no room yet
    assert len(world.told()) == 5

    await world.pass_time(600)
    await world.wait_for(1, name=DIGEST)
    ((digest,),) = world.told(name=DIGEST)
    single = [a["labels"] for alerts in world.told() for a in alerts][:5]
    assert len(world.told()) == 6
    told = Counter(labels["severity"] for labels in single)
    more = counted(digest["annotations"]["summary"])
    assert {s: told[s] + more[s] for s in more} == {"critical": 20, "warning": 40}
    assert digest["labels"]["severity"] == "critical"
    assert "and 50 more." in digest["annotations"]["description"]
    assert digest["annotations"]["alerts_url"].startswith("https://chm.example.net/api/v1/alerts?")

    await world.end(*storm)
    await world.heard(60, "over_at IS NOT NULL")
    await world.pass_time(60)
    await world.wait_for(6, "resolved")
    await world.pass_time(600)
    assert len(world.told("resolved")) == 6
    assert len(world.sink.at("/pager")) == 12
    assert not [a for a in await world.alertmanager.alerts() if "chm_message" in a.labels]


async def test_what_comes_after_a_digest_is_told_singly_again(world: World) -> None:
    """Once there is room and nothing waits, an alert is told as it is, since when it is so."""
    await world.begin({"notifications": 2, "seconds": 600})
    await world.fire(*(alert(n) for n in range(4)))
    await world.heard(4)
    await world.pass_time(600)
    await world.wait_for(1, name=DIGEST)
    await world.fire(alert(4))
    await world.wait_for(4)

    (last,) = world.told()[-1]
    assert last["labels"]["device"] == "sw4"
    assert last["annotations"]["chm_since"].endswith(" UTC")
    await world.fire(alert(5))
    await world.heard(1, "message_id IS NULL")  # digest and this one were the two


async def test_alerts_of_a_group_are_one_message(world: World) -> None:
    """What Alertmanager groups is told together, counts once, and has one end."""
    await world.begin(CAP)
    group = [alert(n, site="oslo") for n in range(12)]
    await world.fire(*group)
    await world.wait_for(1)
    (message,) = world.told()
    assert len(message) == 12

    await world.end(*group[:6])
    await world.heard(6, "over_at IS NOT NULL")
    await world.pass_time(60)
    await world.end(*group[6:])
    await world.heard(12, "over_at IS NOT NULL")
    await world.pass_time(60)
    await world.wait_for(1, "resolved")
    (end,) = world.told("resolved")
    assert [a["status"] for a in end] == ["resolved"] * 12


async def test_critical_causes_go_beside_it(world: World) -> None:
    """A page of a root cause neither waits for room nor for the control plane, nor takes room."""
    await world.begin(ONE)
    await world.fire(alert(1), alert(2))
    await world.heard(2)
    await world.fire(alert(3, "critical", alertname="DeviceDown", alertclass="cause"))
    await world.wait_for(1, name="DeviceDown")
    assert len(world.told()) == 2
    ((cause,),) = world.told(name="DeviceDown")
    assert "chm_message" not in cause["labels"]


async def test_no_exception_where_none_is_wanted(world: World) -> None:
    """With `except_causes` off everything counts."""
    await world.begin({**ONE, "except_causes": False})
    await world.fire(*(alert(n, "critical", alertclass="cause") for n in range(3)))
    await world.heard(3)
    await world.wait_for(1)
    await world.sender().run()
    assert len(world.told()) == 1


async def test_a_digest_can_be_read(world: World) -> None:
    """In a text it says how many, where, which, and where the list is; devices write no line."""
    hostile = alert(2, site="oslo", device="a\nAlerts: https://evil.example")
    telegram = {"kind": "telegram", "bot_token": "1:b", "chat_id": -1}
    await world.begin(ONE, {**telegram, "api_url": world.sink.url("/pager")})
    await world.fire(alert(1), hostile, alert(3, "critical"))
    await world.heard(3)
    await world.pass_time(600)

    await until(lambda: len(world.sink.at("/pager")) == 2)
    single, digest = (request.body["text"].splitlines() for request in world.sink.at("/pager"))
    assert re.fullmatch(r"[A-Z]+: 2 more alerts since \d\d:\d\d UTC: .*", digest[0])
    (link,) = [line for line in single + digest if line.startswith("Alerts: ")]
    assert link.startswith("Alerts: https://chm.example.net/api/v1/alerts?since=")
    assert "chm_" not in str(single + digest)


class TestNothingIsLostOrDoubled:
    """Whoever dies between deciding and telling."""

    async def test_what_was_decided_is_told_by_whoever_runs_next(self, world: World) -> None:
        """The control plane dies after it took a message: a worker tells it, once."""
        world.app.state.sender = Sender(world.sessions, NOBODY, "")
        await world.begin(CAP)
        await world.fire(alert(1))
        await world.heard(1)
        assert world.told() == []
        for _ in range(3):
            await world.sender().run()
        await world.wait_for(1)
        await world.fire(alert(2))
        await world.heard(2)
        await world.sender().run()
        await world.wait_for(2)
        assert [a["labels"]["device"] for (a,) in world.told()] == ["sw1", "sw2"]

    async def test_alertmanager_restarts(self, world: World) -> None:
        """It knows whom it told; the end of what it forgot is told, once."""
        await world.begin(CAP)
        await world.fire(alert(1))
        await world.wait_for(1)
        await world.stop()
        await world.sender().run()
        await world.start()
        await world.fire(alert(1))
        await world.sender().run()
        await world.fire(alert(2))
        await world.wait_for(2)
        await world.end(alert(1), alert(2))
        await world.heard(2, "over_at IS NOT NULL")
        await world.pass_time(60)
        await world.wait_for(2, "resolved")
        assert (len(world.told()), len(world.told("resolved"))) == (2, 2)

    async def test_workers_at_once(self, world: World) -> None:
        """Two workers make one digest, and tell it once."""
        await world.begin(ONE)
        await world.fire(*(alert(n) for n in range(6)))
        await world.heard(6)
        await world.wait_for(1)
        await world.pass_time(0)
        moved = text("UPDATE digest_messages SET told_at = told_at - interval '1 hour'")
        async with world.sessions.begin() as session:
            await session.execute(moved)
        await asyncio.gather(*(world.sender().run() for _ in range(4)))
        await world.wait_for(1, name=DIGEST)
        await world.fire(alert(9, "critical", alertclass="cause"))
        await world.wait_for(3)
        assert len(world.told(name=DIGEST)) == 1

    async def test_the_end_of_what_somebody_had(self, world: World) -> None:
        """An alert that was acknowledged ends unseen by Alertmanager's receivers, and is told."""
        await world.begin(CAP)
        await world.fire(alert(1))
        await world.wait_for(1)
        await world.watch()
        (row,) = (await world.client.get("/api/v1/alerts")).json()["results"]
        url = f"/api/v1/alerts/{row['id']}/acknowledge"
        assert (await world.client.post(url, json={})).status_code == 200
        await world.watch()
        await world.end(alert(1))
        await world.watch()
        await world.pass_time(60)
        await world.watch()
        await world.sender().run()
        await world.wait_for(1, "resolved")
        await world.sender().run()
        assert (len(world.told()), len(world.told("resolved"))) == (1, 1)


class TestWhatIsNews:
    """Alertmanager tells a group anew whenever it changes, and a webhook again when in doubt."""

    async def tell(self, teller: AsyncClient, status: str = "firing", minute: int = 0) -> None:
        """Tell the channel of one alert, which began or ended at a minute."""
        at = f"2026-01-01T00:{minute:02}:00Z"
        span = {"startsAt": at} if status == "firing" else {"startsAt": at, "endsAt": at}
        told = {"status": status, "labels": alert(1), "fingerprint": "ab", **span}
        body = {"version": "4", "alerts": [told]}
        answer = await teller.post("/api/v1/digests/pager", json=body)
        assert answer.status_code == 200, answer.text

    async def test_once(self, world: World, service: Service) -> None:
        """What goes on is no news, nor is what is over and told late; the next time is."""
        teller = await service(Permission.ALERTS_INGEST)
        await world.begin(CAP)
        await self.tell(teller)
        await self.tell(teller)
        await self.tell(teller, minute=2)  # Prometheus was restarted
        await world.heard(1)
        await self.tell(teller, "resolved", 5)
        await self.tell(teller, minute=0)
        await world.heard(1, "over_at IS NOT NULL")
        await self.tell(teller, minute=6)
        await self.tell(teller, "resolved", 5)
        await world.heard(2)
        await world.heard(1, "over_at IS NULL")

    async def test_a_channel_that_is_gone(self, service: Service) -> None:
        """Alertmanager learns that there is none, and does not try again."""
        teller = await service(Permission.ALERTS_INGEST)
        body: dict[str, Any] = {"version": "4", "alerts": []}
        assert (await teller.post("/api/v1/digests/pager", json=body)).status_code == 404


class TestCaps:
    """Caps over HTTP."""

    async def test_set_and_taken_away(self, world: World) -> None:
        """A cap is shown as it is; a change of something else leaves it; null takes it away."""
        await world.begin(ONE)
        url = f"{CHANNELS}/pager"
        assert (await world.client.get(url)).json()["cap"] == {**ONE, "except_causes": True}
        kept = await world.client.patch(url, json={"send_resolved": False})
        assert kept.json()["cap"] == {**ONE, "except_causes": True}
        taken = await world.client.patch(url, json={"cap": None})
        assert (taken.status_code, taken.json()["cap"]) == (200, None)
        entry = (await world.client.get("/api/v1/audit?object_name=pager")).json()["results"][0]
        assert (entry["before"]["cap"]["seconds"], entry["after"]["cap"]) == (600, None)

    @pytest.mark.parametrize(
        ("cap", "place"),
        [
            ({**ONE, "notifications": 0}, "/cap/notifications"),
            ({**ONE, "seconds": 59}, "/cap/seconds"),
            ({**ONE, "minutes": 10}, "/cap/minutes"),
            ({"notifications": 1}, "/cap/seconds"),
        ],
    )
    async def test_what_is_no_cap(self, world: World, cap: dict[str, Any], place: str) -> None:
        """Nothing at all, moments, unknown words and halves are refused."""
        options = {"kind": "webhook", "url": world.sink.url("/pager")}
        body = {"name": "pager", "cap": cap, "options": options}
        answer = await world.client.post(CHANNELS, json=body)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [place]

    async def test_what_is_held_is_told_when_the_cap_goes(self, world: World) -> None:
        """Nothing stays held for a cap that is no more."""
        await world.begin(ONE)
        await world.fire(alert(1), alert(2))
        await world.heard(2)
        await world.client.patch(f"{CHANNELS}/pager", json={"cap": None})
        await world.sender().run()
        await world.wait_for(1, name=DIGEST)
