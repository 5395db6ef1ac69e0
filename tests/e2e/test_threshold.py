"""A value above a threshold that somebody set: whom it concerns is told, with both of them."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.e2e.running import CHM, Stack, environment, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DEVICE = "access1"


def shell(stack: Stack, *arguments: str) -> Any:
    """Give what a command prints."""
    env = environment(stack.data, stack.ports)
    ran = subprocess.run(
        [CHM, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def told(stack: Stack, device: str, status: str) -> list[dict[str, Any]]:
    alerts = stack.receiver.alerts(alertname="CpuHigh", device=device, severity="critical")
    return [alert for _, alert in alerts if alert["status"] == status]


def in_force(stack: Stack, device: str) -> bool:
    which = f'device="{device}",metric="cpu_utilization"'
    return bool(stack.query(f"device:chm_threshold:current{{{which}}} == 0.85"))


def noticed(stack: Stack, device: str) -> list[dict[str, Any]]:
    asked = f"notifications?alertname=CpuHigh&device={device}&severity=critical"
    found: list[dict[str, Any]] = stack.api("GET", asked).json()["results"]
    return found


@contextmanager
def hot(stack: Stack, device: str) -> Iterator[None]:
    """Let the processor of a lab device be busy, and an alert of that fire at once."""
    at_once = {"for_seconds": 0, "keep_firing_for_seconds": 0}
    assert stack.api("PATCH", "shipped-alerts/CpuHigh", at_once).is_success
    limits = {"scope": "device", "device": device, "metric": "cpu_utilization"}
    made = stack.api("POST", "thresholds", {**limits, "warning": 0.5, "critical": 0.85})
    assert made.status_code == 201, made.text
    eventually(lambda: in_force(stack, device), 90, "the threshold in force")
    scenario = f"{stack.url('lab_http')}/devices/{device}/scenarios/cpu-hot"
    httpx.post(scenario, json={}).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(scenario).raise_for_status()
        assert stack.api("DELETE", f"thresholds/{made.json()['id']}").is_success


def test_the_value_and_the_threshold_are_told(stack: Stack) -> None:
    """A processor runs hot: message, list, inbox and shell name the value and the threshold."""
    with hot(stack, DEVICE):
        eventually(lambda: told(stack, DEVICE, "firing"), 120, "a notification")
        (notice,) = eventually(lambda: noticed(stack, DEVICE), 60, "a notice in the inbox")
        asked = f"alerts?alertname=CpuHigh&device={DEVICE}&severity=critical"
        (listed,) = stack.api("GET", asked).json()["results"]
        printed = shell(stack, "alert", "show", listed["id"], "--json")
        message = told(stack, DEVICE, "firing")[0]
    for where in (message["annotations"], notice, listed["annotations"], printed["annotations"]):
        assert where["threshold"] == "85%", where
        assert 85 < float(where["value"].removesuffix("%")) <= 100, where

    (over,) = eventually(lambda: told(stack, DEVICE, "resolved"), 120, "the end")
    assert over["annotations"]["threshold"] == "85%"


def test_a_team_is_told_of_its_devices(stack: Stack) -> None:
    """A route of a team takes what is theirs, and leaves others theirs; the label says whose."""
    ours, theirs = "access2", "access3"
    contact = {"name": "noc", "team": "Lab NOC (24/7)"}
    assert stack.api("POST", "contacts", contact).status_code == 201
    assert stack.api("PATCH", f"devices/{ours}", {"contacts": ["noc"]}).is_success
    route = {"teams": [contact["team"]], "channels": ["inbox"], "position": 1, "stop": True}
    assert stack.api("PUT", "notifications/routes/noc", route).is_success
    known = f'chm_inventory_device_info{{device="{ours}",team!="none"}}'
    eventually(lambda: stack.query(known), 60, "the team in the metrics")
    with hot(stack, ours), hot(stack, theirs):
        (notice,) = eventually(lambda: noticed(stack, ours), 120, "a notice in the inbox")
        other = eventually(lambda: told(stack, theirs, "firing"), 120, "the other device told")
        assert noticed(stack, theirs)  # the default tells the inbox, too
        query = urlencode({"team": contact["team"]})
        listed = stack.api("GET", f"alerts?{query}&alertname=CpuHigh").json()["results"]

    assert notice["summary"] == f"The processor of {ours} is busy"
    assert told(stack, ours, "firing") == []  # the webhook of all is behind the route that stops
    assert other[0]["labels"]["team"] == "none"
    assert {(a["device"], a["labels"]["team"]) for a in listed} == {(ours, contact["team"])}
    assert stack.api("DELETE", "notifications/routes/noc").is_success
