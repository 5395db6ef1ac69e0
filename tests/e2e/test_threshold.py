"""A value above a threshold that somebody set: the person who is told reads both, everywhere."""

import json
import subprocess
from typing import Any

import httpx
import pytest

from tests.e2e.running import CHM, Stack, environment, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DEVICE = "access1"
WHICH = f"alertname=CpuHigh&device={DEVICE}"


def shell(stack: Stack, *arguments: str) -> Any:
    """Give what a command prints."""
    env = environment(stack.data, stack.ports)
    ran = subprocess.run(
        [CHM, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def told(stack: Stack, status: str) -> list[dict[str, Any]]:
    alerts = stack.receiver.alerts(alertname="CpuHigh", device=DEVICE, severity="critical")
    return [alert for _, alert in alerts if alert["status"] == status]


def test_the_value_and_the_threshold_are_told(stack: Stack) -> None:
    """A processor runs hot: message, list, inbox and shell name the value and the threshold."""
    at_once = {"for_seconds": 0, "keep_firing_for_seconds": 0}
    assert stack.api("PATCH", "shipped-alerts/CpuHigh", at_once).is_success
    limits = {"scope": "device", "device": DEVICE, "metric": "cpu_utilization"}
    made = stack.api("POST", "thresholds", {**limits, "warning": 0.5, "critical": 0.85})
    assert made.status_code == 201, made.text
    limit = f'device:chm_threshold:current{{device="{DEVICE}",metric="cpu_utilization"}} == 0.85'
    eventually(lambda: stack.query(limit), 90, "the threshold in force")
    scenario = f"{stack.url('lab_http')}/devices/{DEVICE}/scenarios/cpu-hot"
    httpx.post(scenario, json={}).raise_for_status()
    eventually(lambda: told(stack, "firing"), 120, "a notification")

    (notice,) = eventually(
        lambda: stack.api("GET", f"notifications?{WHICH}&severity=critical").json()["results"],
        60,
        "a notice in the inbox",
    )
    (listed,) = stack.api("GET", f"alerts?{WHICH}&severity=critical").json()["results"]
    printed = shell(stack, "alert", "show", listed["id"], "--json")
    message = told(stack, "firing")[0]
    for where in (
        message["annotations"],
        notice,
        listed["annotations"],
        printed["annotations"],
    ):
        assert where["threshold"] == "85%", where
        assert 85 < float(where["value"].removesuffix("%")) <= 100, where

    httpx.delete(scenario).raise_for_status()
    (over,) = eventually(lambda: told(stack, "resolved"), 120, "the end")
    assert over["annotations"]["threshold"] == "85%"
    assert stack.api("DELETE", f"thresholds/{made.json()['id']}").is_success
