"""The control plane is killed between any two steps: nothing is lost, and nothing is told twice.

Killed means both of its processes, with SIGKILL; those that follow them are held before they do
anything, until the test lets them go on. Alertmanager goes on, and is told what Prometheus would
tell it.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.running import Stack, eventually, running_stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WHOLE = ("controlplane", "worker")
PACE = {
    "CHM_ALERTS_SETTLE": "5",
    "CHM_ALERTS_CONFIRM": "1",
    "CHM_NOTIFY_NETWORKS": "127.0.0.0/8",
}
PATIENCE = 90  # seconds in which whoever comes back has taken up what lies there
QUIET = 12  # seconds without a second notification: what runs by itself had its turn


class Scene:
    """The stack, what fires in it, and what people were told."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def fire(self, name: str, *devices: str, seconds: float = 3600) -> None:
        """Tell Alertmanager of alerts, each at a site of its own; they end after so long."""
        now = datetime.now(UTC)
        span = {
            "startsAt": (now - timedelta(seconds=1)).isoformat(),
            "endsAt": (now + timedelta(seconds=seconds)).isoformat(),
        }
        alerts = [
            {
                "labels": {"alertname": name, "severity": "warning"}
                | {"device": device, "site": f"at-{device}"},
                "annotations": {"summary": f"{name} of {device}"},
                **span,
            }
            for device in devices
        ]
        self._alertmanager("POST", "alerts", json=alerts)

    def end(self, name: str, *devices: str) -> None:
        """Tell it that they are over."""
        self.fire(name, *devices, seconds=0)

    def told(self, name: str, receiver: str = "people", **labels: str) -> list[str]:
        """Give the statuses in which a receiver was told of an alert."""
        return [
            alert["status"]
            for _, message in list(self.stack.receiver.notifications)
            if message["receiver"] == receiver
            for alert in message["alerts"]
            if {"alertname": name, **labels}.items() <= alert["labels"].items()
        ]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Give the history's alerts of a name; none while nobody answers."""
        try:
            answer = self.stack.api("GET", f"alerts?alertname={name}&limit=100")
        except httpx.HTTPError:
            return []
        rows: list[dict[str, Any]] = answer.json()["results"] if answer.is_success else []
        return rows

    def known(self, name: str, status: str, count: int = 1) -> None:
        """Wait until the history has so many alerts of a name, all of this status."""
        eventually(
            lambda: [row["status"] for row in self.rows(name)] == [status] * count,
            PATIENCE,
            f"{count} of {name} {status}",
        )

    def states(self, name: str) -> list[str]:
        """Give the states of the history's alerts of a name."""
        return [row["state"] for row in self.rows(name)]

    def silences(self, mark: str) -> list[str]:
        """Give the states of the silences whose comment has this mark."""
        found = self._alertmanager("GET", "silences").json()
        return [s["status"]["state"] for s in found if mark in s["comment"]]

    def silence(self, name: str, comment: str) -> None:
        """Make a silence of an alert."""
        now = datetime.now(UTC)
        body = {
            "matchers": [{"name": "alertname", "value": name, "isRegex": False, "isEqual": True}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(minutes=15)).isoformat(),
            "createdBy": "admin",
            "comment": comment,
        }
        self._alertmanager("POST", "silences", json=body)

    def change(self, method: str, path: str, body: Any) -> None:
        """Have the admin change something."""
        answer = self.stack.api(method, path, body)
        assert answer.is_success, answer.text

    @contextmanager
    def dead(self) -> Iterator[None]:
        """Kill the control plane; it is dead for as long as the block lasts."""
        killed = {service: self.stack.kill(service) for service in WHOLE}
        held: dict[str, int] = {}
        deadline = time.monotonic() + 60
        while len(held) < len(killed):
            assert time.monotonic() < deadline, "nobody started it again"
            for service, pid in killed.items():
                if service not in held and self.stack.pid(service) != pid:
                    held[service] = self.stack.pid(service)
                    os.kill(held[service], signal.SIGSTOP)
            time.sleep(0.02)
        try:
            yield
        finally:
            for pid in held.values():
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def alertmanager_hangs(self) -> Iterator[None]:
        """Have Alertmanager answer nobody for as long as the block lasts."""
        pid = self.stack.pid("alertmanager")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _alertmanager(self, method: str, path: str, **content: Any) -> httpx.Response:
        url = f"{self.stack.url('alertmanager')}/api/v2/{path}"
        return httpx.request(method, url, **content).raise_for_status()


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with (
        tempfile.TemporaryDirectory(prefix="chm-e2e-") as folder,
        running_stack(Path(folder), **PACE) as stack,
    ):
        yield Scene(stack)


def test_before_it_hears_of_an_alert(scene: Scene) -> None:
    """Alertmanager has an alert and tells people; the history has it once somebody is back."""
    with scene.dead():
        scene.fire("Unheard", "sw1")
        eventually(lambda: scene.told("Unheard"), 30, "people told")
    scene.known("Unheard", "firing")
    scene.end("Unheard", "sw1")
    scene.known("Unheard", "resolved")
    eventually(lambda: len(scene.told("Unheard")) > 1, 30, "people told of the end")
    assert scene.told("Unheard") == ["firing", "resolved"]


def test_while_an_alert_ends(scene: Scene) -> None:
    """People are told of the end without us; the history has it once somebody is back."""
    scene.fire("EndsAlone", "sw1")
    scene.known("EndsAlone", "firing")
    eventually(lambda: scene.told("EndsAlone"), 30, "people told")
    with scene.dead():
        scene.end("EndsAlone", "sw1")
        eventually(lambda: len(scene.told("EndsAlone")) > 1, 30, "people told of the end")
    scene.known("EndsAlone", "resolved")
    assert scene.told("EndsAlone") == ["firing", "resolved"]


def test_when_a_step_of_an_escalation_is_due(scene: Scene) -> None:
    """Whoever comes back tells what has come due, once, also when killed right after it told."""
    after = 20
    step = {"after": after, "channels": ["settings-1"]}
    policy = {"name": "late", "severities": [], "alertnames": ["Ignored"], "steps": [step]}
    scene.change("POST", "escalation/policies", policy)
    scene.fire("Ignored", "sw1")
    scene.known("Ignored", "firing")
    about: dict[str, str] = {"receiver": "channel-settings-1", "alert": "Ignored"}
    with scene.dead():
        time.sleep(after + 1)  # it comes due
        assert scene.told("AlertEscalated", **about) == []
    eventually(lambda: scene.told("AlertEscalated", **about), PATIENCE, "it escalated")
    with scene.dead():
        pass
    scene.known("Ignored", "firing")
    time.sleep(QUIET)
    scene.end("Ignored", "sw1")
    eventually(lambda: len(scene.told("AlertEscalated", **about)) > 1, PATIENCE, "its end told")
    assert scene.told("AlertEscalated", **about) == ["firing", "resolved"]
    assert scene.told("Ignored") == ["firing", "resolved"]


def test_between_an_acknowledgement_and_its_silence(scene: Scene) -> None:
    """What somebody has they have: whoever comes back makes the silence, one."""
    scene.fire("Taken", "sw1")
    scene.known("Taken", "firing")
    eventually(lambda: scene.told("Taken"), 30, "people told")
    (row,) = scene.rows("Taken")
    mark = f"chm-ack:{row['id']}"
    with ExitStack() as death:
        with scene.alertmanager_hangs():
            scene.change("POST", f"alerts/{row['id']}/acknowledge", {"comment": "mine"})
            death.enter_context(scene.dead())
        assert scene.silences(mark) == []
    eventually(lambda: scene.silences(mark) == ["active"], PATIENCE, "a silence")
    eventually(lambda: scene.states("Taken") == ["acknowledged"], PATIENCE, "it is somebody's")
    scene.end("Taken", "sw1")
    scene.known("Taken", "resolved")
    eventually(lambda: len(scene.told("Taken")) > 1, PATIENCE, "people told of the end")
    time.sleep(QUIET)
    assert scene.told("Taken") == ["firing", "resolved"]
    assert scene.silences(mark) == ["expired"]


def test_a_silence_without_its_acknowledgement(scene: Scene) -> None:
    """A silence of ours that nobody's acknowledgement stands behind is ended: people are told.

    We never make one before the acknowledgement is in the database; an older database may be.
    """
    scene.fire("NobodyHasIt", "sw1")
    scene.known("NobodyHasIt", "firing")
    (row,) = scene.rows("NobodyHasIt")
    mark = f"chm-ack:{row['id']}"
    with scene.dead():
        scene.silence("NobodyHasIt", mark)
    eventually(lambda: scene.silences(mark) == ["expired"], PATIENCE, "it ended")
    eventually(lambda: scene.states("NobodyHasIt") == ["active"], PATIENCE, "it is nobody's")
    scene.end("NobodyHasIt", "sw1")
    scene.known("NobodyHasIt", "resolved")
    eventually(lambda: len(scene.told("NobodyHasIt")) > 1, PATIENCE, "people told of the end")
    assert scene.told("NobodyHasIt") == ["firing", "resolved"]


def test_while_a_digest_waits(scene: Scene) -> None:
    """What exceeds a cap is counted across two deaths, and the digest is told once, as its end."""
    url = scene.stack.receiver.url
    cap = {"notifications": 1, "seconds": 60}
    options = {"kind": "webhook", "url": url}
    scene.change("POST", "notifications/channels", {"name": "few", "cap": cap, "options": options})
    route = {"channels": ["few"], "alertnames": ["Flood"], "stop": True}
    scene.change("PUT", "notifications/routes/few", route)
    eventually(lambda: _in_force(scene.stack), 60, "the channel in force")
    devices = [f"sw{n}" for n in range(5)]

    def told(name: str = "Flood") -> list[str]:
        return scene.told(name, "channel-few")

    scene.fire("Flood", *devices[:2])
    eventually(told, PATIENCE, "the first told")
    scene.known("Flood", "firing", 2)
    with scene.dead():
        scene.fire("Flood", *devices[2:])
        time.sleep(cap["seconds"])  # there is room by now
        assert told("NotificationDigest") == []
    eventually(lambda: told("NotificationDigest"), PATIENCE, "a digest")
    with scene.dead():
        pass
    scene.known("Flood", "firing", 5)
    time.sleep(cap["seconds"] + QUIET)  # what came too late for it has its own

    digests = _first_words(scene.stack)
    assert told() == ["firing"]
    assert 1 + sum(int(words.split()[0]) for words in digests) == len(devices)
    scene.end("Flood", *devices)
    scene.known("Flood", "resolved", 5)
    ends = ["firing"] * len(digests) + ["resolved"] * len(digests)
    eventually(lambda: told("NotificationDigest") == ends, PATIENCE, "the ends of digests")
    eventually(lambda: told() == ["firing", "resolved"], PATIENCE, "the end of the first")


def _in_force(stack: Stack) -> bool:
    revision = stack.api("GET", "notifications/revisions").raise_for_status().json()["results"][0]
    return revision["running"] and "capped-few" in revision["document"]


def _first_words(stack: Stack) -> list[str]:
    """Give the summaries of the digests that began."""
    alerts = stack.receiver.alerts(alertname="NotificationDigest")
    return [a["annotations"]["summary"] for _, a in alerts if a["status"] == "firing"]
