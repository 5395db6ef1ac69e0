"""Bands that aggregates have learned, and what is told of who leaves them."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import rules
from tests.rules.promtool import BASELINES, INTENT, run

STEP = "4m"  # that of bands: 15 an hour, 360 a day
HOUR, DAY = 15, 360
FIRING = 'alertstate="firing", baseline!=""'
ADAPTIVE, ROBUST = "response_time-site", "response_time-role"


def intent(aggregate: str) -> rules.Intent:
    """Give what has the baselines of one aggregate, of devices that are asked every four minutes.

    An alert fires after twenty minutes then, and means are of four values.
    """
    chosen = tuple(one for one in BASELINES if one.aggregate == aggregate)
    return dataclasses.replace(INTENT, scrape_interval=240, baselines=chosen, objective=None)


def rtt(values: str, device: str = "core1") -> dict[str, str]:
    """Give the round trips to a device of the site `lab` and the role `core`."""
    labels = (
        f'device="{device}",site="lab",role="core",vendor="Cisco",instance="x",job="chm-devices"'
    )
    return {f"chm_icmp_rtt_avg_seconds{{{labels}}}": values}


def told(folder: Path, series: Mapping[str, str], firing: Mapping[str, Sequence[str]]) -> None:
    """Fail unless exactly these baselines deviate at each time."""
    tests: list[dict[str, Any]] = [
        {
            "expr": f"count by (alertname, baseline) (ALERTS{{{FIRING}}})",
            "eval_time": at,
            "exp_samples": [
                {"labels": f'{{alertname="BaselineDeviation", baseline="{name}"}}', "value": 1}
                for name in names
            ],
        }
        for at, names in firing.items()
    ]
    checks = {"promql_expr_test": tests}
    run(
        folder, series, checks=checks, families="[bp]*e*", step=STEP, intent=intent("response_time")
    )


def calm(count: int) -> str:
    """Give round trips that vary a little about 20 ms."""
    return " ".join(["0.019", "0.021", "0.020", "0.022", "0.018"] * (count // 5))


def test_what_leaves_its_band_is_told(tmp_path: Path) -> None:
    """Ten times what is usual, for a while, is told by site and by role; and then it ends."""
    series = rtt(f"{calm(DAY + 5 * HOUR)} {'0.2 ' * HOUR} {calm(3 * HOUR)}")
    firing = {"28h": [], "29h16m": [], "29h32m": [ADAPTIVE, ROBUST], "32h": []}
    told(tmp_path, series, firing)


def test_a_value_that_falls_is_told(tmp_path: Path) -> None:
    """A band has two ends; the lower one is never below nothing."""
    series = rtt(f"{calm(DAY + 5 * HOUR)} {'0.0002 ' * HOUR}")
    told(tmp_path, series, {"28h": [], "29h32m": [ADAPTIVE, ROBUST]})


def test_what_is_usual_is_quiet(tmp_path: Path) -> None:
    """Half as much again as usual is nothing, however narrow the band was."""
    series = rtt(f"{calm(DAY + 5 * HOUR)} {'0.028 ' * (3 * HOUR)}")
    told(tmp_path, series, {f"{hour}h": [] for hour in range(1, 32)})


def test_what_is_too_small_to_matter_is_quiet(tmp_path: Path) -> None:
    """From 1 to 4 milliseconds is four times as much, and nobody feels it."""
    series = rtt(f"{'0.001 ' * (DAY + 5 * HOUR)} {'0.004 ' * HOUR}")
    told(tmp_path, series, {"29h32m": [], "29h56m": []})


def test_nothing_is_told_before_a_day_was_seen(tmp_path: Path) -> None:
    """A new site has no band: whatever it does is not unusual."""
    series = rtt(f"{calm(10 * HOUR)} {'0.5 ' * HOUR} {calm(5 * HOUR)}")
    told(tmp_path, series, {f"{hour}h30m": [] for hour in range(16)})


@pytest.mark.parametrize(("gap", "firing"), [(3, [ADAPTIVE, ROBUST]), (12, [])])
def test_after_a_gap(tmp_path: Path, gap: int, firing: list[str]) -> None:
    """Three hours without samples leave the band; half a day without takes it for a while."""
    learned, after = calm(DAY + 5 * HOUR), calm(5)
    series = rtt(f"{learned} _x{gap * HOUR} {after} {'0.2 ' * HOUR}")
    told(tmp_path, series, {f"{29 + gap}h": [], f"{29 + gap}h52m": firing})


def test_what_was_so_yesterday_is_usual(tmp_path: Path) -> None:
    """The adaptive band knows the hour of the backup from the day before."""
    day = f"{calm(10 * HOUR)} {'0.2 ' * HOUR} {calm(13 * HOUR)}"
    told(tmp_path, rtt(f"{day} {day}"), {"33h": [], "34h32m": [ROBUST], "34h40m": [ROBUST]})


def test_a_device_without_a_site_is_of_no_site(tmp_path: Path) -> None:
    """What has no site is no part of the aggregate of any."""
    labels = 'device="lone",role="core",instance="x",job="chm-devices"'
    series = {f"chm_icmp_rtt_avg_seconds{{{labels}}}": "0.02x30"}
    tests = [
        {
            "expr": 'count by (baseline) (baseline:aggregate:value{aggregate="response_time"})',
            "eval_time": "1h",
            "exp_samples": [{"labels": f'{{baseline="{ROBUST}"}}', "value": 1}],
        }
    ]
    checks = {"promql_expr_test": tests}
    run(
        tmp_path,
        series,
        checks=checks,
        families="[bp]*e*",
        step=STEP,
        intent=intent("response_time"),
    )


@pytest.mark.parametrize(
    ("aggregate", "series", "value"),
    [
        ("traffic", {"ifHCInOctets": "0+1000x30"}, 1000 / 240 * 8),
        ("packet_loss", {"chm_icmp_loss_ratio": "0.25x30"}, 0.25),
        ("cpu_utilization", {"chm_cpu_utilization_ratio": "0.5x30"}, 0.5),
    ],
)
def test_every_aggregate_has_values(
    tmp_path: Path, aggregate: str, series: dict[str, str], value: float
) -> None:
    """Traffic is the sum of what comes in, in bits a second; all others are means of devices."""
    labels = 'device="core1",site="lab",role="core",instance="x",job="chm-devices"'
    given = {f"{name}{{{labels}}}": values for name, values in series.items()}
    chosen = f'baseline:aggregate:value{{aggregate="{aggregate}", site!=""}}'
    tests = [
        {
            "expr": f"sum by (site) ({chosen})",
            "eval_time": "1h40m",
            "exp_samples": [{"labels": '{site="lab"}', "value": value}],
        }
    ]
    checks = {"promql_expr_test": tests}
    run(tmp_path, given, checks=checks, families="[bph]*e*", step=STEP, intent=intent(aggregate))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 'x"} or vector(1)'},
        {"name": "x\n"},
        {"aggregate": "weather"},
        {"method": "oracle"},
        {"by": "device"},
    ],
)
def test_a_hostile_baseline_is_refused(wrong: dict[str, Any]) -> None:
    """Nothing that is no name, and no word that is not on the list, reaches a rule."""
    good = {"name": "x", "aggregate": "traffic", "method": "robust", "by": "site"}
    assert rules.Baseline(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is no"):
        rules.Baseline(**{**good, **wrong})
