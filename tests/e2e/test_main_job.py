"""The one thing the product exists for: something goes wrong on a device, and a person is told."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import Stack, eventually, free_ports, snmpd

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

COMMUNITY = "e2e-community"  # a secret: it may stand nowhere in the clear


def add(stack: Stack, name: str, port: int, parent: str) -> None:
    device = {
        "name": name,
        "address": "127.0.0.1",
        "port": port,
        "site": "demo",
        "role": "access",
        "vendor": "net-snmp",
        "credentials": ["e2e"],
        "parents": [parent],
    }
    assert stack.api("POST", "devices", device).status_code == 201


def notified(stack: Stack, status: str, device: str) -> list[tuple[float, dict[str, Any]]]:
    return [
        (when, alert)
        for when, alert in stack.receiver.alerts(alertname="DeviceDown", device=device)
        if alert["status"] == status
    ]


def first_failed_sample(stack: Stack, device: str) -> float:
    (series,) = stack.query(f'chm_device_up{{device="{device}"}}[10m]')
    return min(float(when) for when, value in series["values"] if value == "0")


def test_from_a_device_to_a_notification(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A device added by the API is monitored; it dies, one person is told; it is back, and so."""
    port, port_behind = free_ports(2)
    credential = {"name": "e2e", "kind": "snmp", "version": 2, "community": COMMUNITY}
    assert stack.api("POST", "credentials", credential).status_code == 201

    with (
        snmpd(tmp_path / "edge", port, COMMUNITY) as stop_edge,
        snmpd(tmp_path / "behind", port_behind, COMMUNITY) as stop_behind,
    ):
        add(stack, "edge1", port, parent="access1")
        add(stack, "behind1", port_behind, parent="edge1")
        eventually(lambda: {"edge1", "behind1"} <= stack.up(), 30, "both devices up")
        stop_behind()
        stop_edge()
        told = eventually(lambda: notified(stack, "firing", "edge1"), 60, "a notification")

    when, alert = told[0]
    with capsys.disabled():
        seconds = when - first_failed_sample(stack, "edge1")
        print(f"\nfirst failed sample to notification: {seconds:.1f} s (4 s of them by `for`)")
    assert alert["labels"] | {"severity": "critical", "site": "demo"} == alert["labels"]
    annotations = alert["annotations"]
    assert "edge1" in annotations["summary"]
    assert annotations["runbook_url"] == f"{stack.url('controlplane')}/runbooks/DeviceDown"
    assert stack.query('ALERTS{alertname="DeviceUnreachable",device="behind1"}')

    with (
        snmpd(tmp_path / "edge", port, COMMUNITY),
        snmpd(tmp_path / "behind", port_behind, COMMUNITY),
    ):
        eventually(lambda: notified(stack, "resolved", "edge1"), 300, "the resolution")

    names = {a["labels"]["alertname"] for _, a in stack.receiver.alerts(device="behind1")}
    assert names <= {"DeviceRebooted"}  # which it was, once it was back
    history = "alerts?alertname=DeviceDown&device=edge1"
    eventually(lambda: stack.statuses(history) == ["resolved"], 30, "resolved in the history")
    for device in ("behind1", "edge1"):
        assert stack.api("DELETE", f"devices/{device}").status_code == 204
    asked = 'up{job="chm-devices",device=~"edge1|behind1"}'
    eventually(lambda: not stack.query(asked), 15, "removed devices forgotten by Prometheus")
    assert stack.query('up{job="chm-exporter"} == 1')
    assert not [file for file in stack.files() if COMMUNITY.encode() in file.read_bytes()]
