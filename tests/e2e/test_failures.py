"""A service dies, a file is wrong, an input is hostile: nothing is lost, and somebody says so."""

import os
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.running import Stack, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

OUTAGE = "alerts?alertname=DeviceDown&device=access8"
LAB_DEVICES_UP = 11  # all but the one that is down


def samples_since(stack: Stack, moment: float) -> int:
    """Count the samples of the lab's core that Prometheus took after a moment."""
    series = stack.query('chm_device_up{device="core1"}[10m]')
    return sum(float(when) > moment for s in series for when, _ in s["values"])


def kept(stack: Stack) -> dict[str, object]:
    """Give what must survive: devices, credentials, and the alert that fires all the while."""
    parts = ("devices?limit=100&ordering=name", "credentials", OUTAGE)
    told = {part: stack.api("GET", part).raise_for_status().json()["results"] for part in parts}
    for row in told[parts[0]]:
        del row["facts"]  # when a device spoke last is news
    return told


@pytest.fixture(scope="module")
def outage(stack: Stack) -> Iterator[None]:
    """Have a device of the lab down, and its alert in the history, while services are killed."""
    scenario = f"{stack.url('lab_http')}/devices/access8/scenarios/device-down"
    httpx.post(scenario, json={}).raise_for_status()
    eventually(lambda: stack.statuses(OUTAGE) == ["firing"], 60, "an outage")
    yield
    httpx.delete(scenario).raise_for_status()
    # An Alertmanager that has just come back may have forgotten to tell; the poll waits for it.
    eventually(lambda: stack.statuses(OUTAGE) == ["resolved"], 240, "the end of the outage")
    eventually(lambda: _told(stack)[-1:] == ["resolved"], 60, "people told of the end")
    assert "resolved" not in _told(stack)[:-1]


def _told(stack: Stack) -> list[str]:
    alerts = stack.receiver.alerts(alertname="DeviceDown", device="access8")
    return [alert["status"] for _, alert in alerts]


@pytest.mark.parametrize(
    "service", ["controlplane", "worker", "exporter", "prometheus", "alertmanager", "postgres"]
)
@pytest.mark.usefixtures("outage")
def test_a_killed_service_comes_back(stack: Stack, service: str) -> None:
    """Kill -9 of any child: it is back, nothing is lost, and monitoring goes on."""
    before = kept(stack)
    pid = stack.kill(service)
    moment = time.time()

    eventually(lambda: stack.pid(service) != pid, 30, f"a new {service}")
    eventually(lambda: samples_since(stack, moment) >= 3, 60, "new samples")
    eventually(lambda: _healthy(stack), 60, "a healthy stack")

    assert kept(stack) == before
    assert any(f"{service} ended with SIGKILL" in line for line in stack.output)


def test_monitoring_goes_on_without_the_control_plane(stack: Stack) -> None:
    """While the control plane hangs, the exporter works, also after a restart of its own."""
    os.kill(stack.pid("controlplane"), signal.SIGSTOP)
    try:
        pid = stack.kill("exporter")
        eventually(lambda: stack.pid("exporter") != pid, 30, "a new exporter")
        moment = time.time()
        eventually(lambda: samples_since(stack, moment) >= 5, 60, "samples")
        probe = f"{stack.url('exporter')}/probe"
        answer = eventually(lambda: _get(probe, target="core1"), 20, "an answer")
        assert answer is not None
        assert "chm_device_up 1" in answer.text
    finally:
        os.kill(stack.pid("controlplane"), signal.SIGCONT)
    eventually(lambda: _healthy(stack), 60, "a healthy stack")


def test_rules_that_promtool_refuses(stack: Stack) -> None:
    """A wrong rule file of the operator changes nothing, is recorded, and an alert tells."""
    before = stack.query("chm_ruleset_info")[0]["metric"]["revision"]
    file = stack.data / "rules.local" / "mine.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("groups: [{name: mine, rules: [{alert: Mine, expr: 'sum by ('}]}]\n")
    try:
        eventually(
            lambda: stack.receiver.alerts(alertname="RulesetDeploymentFailed"), 90, "an alert"
        )
        newest = stack.api("GET", "rules").raise_for_status().json()["results"][0]
        assert newest["status"] == "failed"
        assert "mine" in newest["detail"]
        assert stack.query("chm_ruleset_info")[0]["metric"]["revision"] == before
    finally:
        file.unlink()
    eventually(lambda: not _failed(stack), 60, "a good rule set again")


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("snmp?target=127.0.0.1&module=nope", 400, "Unknown module 'nope'"),
        ("snmp?target=127.0.0.1&auth=nope", 400, "Unknown auth 'nope'"),
        ("probe?target=nope", 404, "nope"),
    ],
)
def test_bad_questions_to_the_exporter(stack: Stack, query: str, status: int, reason: str) -> None:
    """A wrong parameter is a 4xx that names it."""
    answer = httpx.get(f"{stack.url('exporter')}/{query}")

    assert answer.status_code == status
    assert reason in answer.text


@pytest.mark.parametrize(
    "name", ['x"} or vector(1) #', "x\ny", "{{ query }}", "x\n", "{{ with query }}", "X", ""]
)
def test_a_hostile_device_name(stack: Stack, name: str) -> None:
    """A name that could forge a rule is refused, with a pointer to the field."""
    device = {"name": name, "address": "127.0.0.1", "credentials": ["lab"]}

    answer = stack.api("POST", "devices", device)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]


def _get(url: str, **params: str) -> httpx.Response | None:
    try:
        return httpx.get(url, params=params)
    except httpx.HTTPError:
        return None


def _healthy(stack: Stack) -> bool:
    """Say whether every part answers and Prometheus scrapes all of them and every lab device."""
    health = _get(f"{stack.url('controlplane')}/health")
    if health is None or not health.is_success:
        return False
    jobs = stack.query('count by (job) (up{job!="chm-devices"} == 1)')
    return len(jobs) == 5 and len(stack.up()) >= LAB_DEVICES_UP


def _failed(stack: Stack) -> bool:
    return bool(stack.query("chm_ruleset_deployment_failed == 1"))
