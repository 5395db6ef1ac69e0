"""Every alert about a device has the label of the team that the inventory names."""

import json
from pathlib import Path

import pytest

from tests.rules.promtool import Series, device, evaluate, series, threshold

TEAM = 'N "1"}\\ {{ $value }} or up'
LABELS = {"site": "lab", "role": "core", "vendor": "Cisco", "job": "chm-devices"}


def of_team(name: str, team: str, up: str) -> Series:
    """Give a device of a team: no sample of it says so, but for the inventory."""
    written = f"team={json.dumps(team)}"
    return {key.replace('team="none"', written): values for key, values in device(name, up).items()}


def sampled(name: str, of: str, values: str, **labels: str) -> Series:
    return {series(name, device=of, instance=of, **LABELS, **labels): values}


def readings(alert: str, of: str) -> Series:
    """Give what makes a device have an alert; DeviceDown comes of its being down."""
    return {
        "DeviceDown": {},
        "DeviceRebooted": sampled("chm_uptime_seconds", of, "90000x20 60x60"),
        "CpuHigh": sampled("chm_cpu_utilization_ratio", of, "0.99x60", cpu="0"),
        "FanFailed": sampled("chm_fault", of, "1x60", metric="chm_fan_up", fan=TEAM),
    }[alert]


@pytest.mark.parametrize("alert", ["DeviceDown", "DeviceRebooted", "CpuHigh", "FanFailed"])
def test_the_team_of_the_device(tmp_path: Path, alert: str) -> None:
    """Joined or looked up, it is that of this device, as it is; what nobody sees to is of none."""
    up = "1x9 0x60" if alert == "DeviceDown" else "1x120"
    teams = {"a": TEAM, "b": "south", "c": "none"}
    evaluate(
        tmp_path,
        *(of_team(name, team, up) for name, team in teams.items()),
        *(threshold(name, "cpu_utilization", 0.8, 0.9) for name in teams),
        *(readings(alert, name) for name in teams),
        expr=f'max by (device, team) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
        expected={
            "25m": [
                {"labels": series("", device=name, team=team), "value": 1}
                for name, team in teams.items()
            ]
        },
    )


def test_the_team_of_a_site(tmp_path: Path) -> None:
    """What is about a site and no device is for those who see to the site, else for nobody."""
    down = {
        key: values
        for name, site in {"a": TEAM, "b": "other"}.items()
        for key, values in device(name, "1x9 0x60", site=site).items()
    }
    evaluate(
        tmp_path,
        down,
        {series("chm_site_team", site=TEAM, team=TEAM, job="chm-intent"): "1x120"},
        {series("chm_site_team", site="third", team="x", job="chm-intent"): "1x120"},
        expr='max by (site, team) (ALERTS{alertname="ErrorBudgetBurning", alertstate="firing"})',
        expected={
            "40m": [
                {"labels": series("", site=TEAM, team=TEAM), "value": 1},
                {"labels": series("", site="other", team="none"), "value": 1},
            ]
        },
    )
