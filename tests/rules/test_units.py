"""What an alert that crossed a threshold says of the value and the threshold, by promtool."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import rules
from rules import baselines, units
from tests.rules.promtool import INTENT, Series, device, run, series, threshold

LABELS = {"device": "r1", "site": "lab", "role": "core", "vendor": "Cisco"}
SCRAPED = {**LABELS, "instance": "r1", "job": "chm-devices"}
# Ends a string of PromQL, a template and a line, where it could.
HOSTILE = 'a"} or vector(7) or x{b="` }}{{ query `up` }}\\\n%[1]q é\u200b'
CPU = series("chm_cpu_utilization_ratio", **SCRAPED, cpu="0")


def told(alert: str, severity: str, value: str, limit: str, **labels: str) -> dict[str, Any]:
    """Give an alert as promtool is to find it, with the value in the words of the description."""
    (rule,) = [one for one in rules.alerts(INTENT) if (one.name, one.severity) == (alert, severity)]
    everything = {**LABELS, **labels}
    texts = {"summary": rule.summary, "description": rule.description}
    return {
        "exp_labels": {
            **everything,
            "team": "none",
            "severity": severity,
            "alertclass": rule.alertclass,
        },
        "exp_annotations": {
            **{name: _filled(text, everything, value) for name, text in texts.items()},
            "runbook_url": INTENT.runbook(alert),
            "value": value,
            "threshold": limit,
        },
    }


def _filled(text: str, labels: Mapping[str, str], value: str) -> str:
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
    return re.sub(r"\{\{ \$value[^}]*\}\}", value.removesuffix(" °C"), text)


def check(folder: Path, *parts: Series, told: Mapping[str, list[dict[str, Any]]]) -> None:
    """Fail unless exactly these alerts fire at each time, in these words."""
    names = {name for name, _ in (key.split("@") for key in told)}
    assert names
    tests = [
        {"alertname": name, "eval_time": at, "exp_alerts": alerts}
        for key, alerts in told.items()
        for name, at in [key.split("@")]
    ]
    run(folder, device("r1"), *parts, checks={"alert_rule_test": tests})


@dataclass(frozen=True)
class Crossed:
    """An alert, what it reads, the thresholds and the value, and all three in words."""

    alert: str
    metric: str
    series: str
    numbers: tuple[float, float, float]
    words: tuple[str, str, str]
    part: Mapping[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "crossed",
    [
        Crossed(
            *("CpuHigh", "cpu_utilization", "chm_cpu_utilization_ratio"),
            *((0.8, 0.95, 0.972), ("80%", "95%", "97.2%")),
        ),
        Crossed(
            *("MemoryHigh", "memory_utilization", "chm_memory_utilization_ratio"),
            *((0.85, 0.95, 0.999), ("85%", "95%", "99.9%"), {"pool": "p"}),
        ),
        Crossed(
            *("TemperatureHigh", "temperature", "chm_temperature_celsius"),
            *((65, 80.5, 91.5), ("65 °C", "80.5 °C", "91.5 °C"), {"sensor": "s"}),
        ),
        Crossed(
            *("ResponseSlow", "response_time", "chm_icmp_rtt_avg_seconds"),
            *((0.1, 0.5, 0.75), ("100ms", "500ms", "750ms")),
        ),
        Crossed(
            *("PacketLoss", "packet_loss", "chm_icmp_loss_ratio"),
            *((0.05, 0.2, 0.25), ("5%", "20%", "25%")),
        ),
    ],
    ids=lambda crossed: crossed.alert,
)
def test_both_are_told_in_their_unit(tmp_path: Path, crossed: Crossed) -> None:
    """The warning names the warning threshold, the critical alert its own, both what was seen."""
    warning, critical, value = crossed.numbers
    limits = dict(zip(("warning", "critical"), crossed.words, strict=False))
    check(
        tmp_path,
        threshold("r1", crossed.metric, warning, critical),
        {series(crossed.series, **SCRAPED, **crossed.part): f"{value}x60"},
        told={
            f"{crossed.alert}@30m": [
                told(crossed.alert, severity, crossed.words[2], limit, **crossed.part)
                for severity, limit in limits.items()
            ]
        },
    )


def test_another_threshold_is_no_other_alert(tmp_path: Path) -> None:
    """Whoever moves a threshold, or a value that moves, changes the words of an alert alone."""
    limits = {"warning": "0.8x29 0.85x30", "critical": "0.99x60"}
    moved = {
        series("chm_threshold", device="r1", metric="cpu_utilization", severity=severity): values
        for severity, values in limits.items()
    }
    firing = 'ALERTS{alertname="CpuHigh", alertstate="firing"}'
    run(
        tmp_path,
        device("r1"),
        moved,
        {CPU: "0.9x29 0.92x30"},
        checks={
            "alert_rule_test": [
                {
                    "alertname": "CpuHigh",
                    "eval_time": at,
                    "exp_alerts": [told("CpuHigh", "warning", value, limit)],
                }
                for at, value, limit in (("25m", "90%", "80%"), ("45m", "92%", "85%"))
            ],
            "promql_expr_test": [
                {
                    "expr": f"count(count_over_time({firing}[30m]))",
                    "eval_time": "45m",
                    "exp_samples": [{"labels": "{}", "value": 1}],
                }
            ],
        },
    )


def test_a_limit_of_the_device_itself_is_the_threshold(tmp_path: Path) -> None:
    """A sensor that is judged by its own limit says that one; its name cannot ask for another."""
    sensor = {"sensor": HOSTILE}
    limits = {
        series("chm_temperature_limit_celsius", **SCRAPED, **sensor, limit=name): f"{value}x60"
        for name, value in {"high_warning": 0, "high_critical": 85, "low_critical": 3}.items()
    }
    beyond = {**sensor, "unit": "celsius", "limit": "high_critical"}
    check(
        tmp_path,
        threshold("r1", "temperature", 50, 60),
        limits,
        {series("chm_temperature_celsius", **SCRAPED, **sensor): "91x60"},
        {series("chm_sensor_beyond_limit", **SCRAPED, **beyond): "91x60"},
        told={
            "TemperatureHigh@30m": [
                told("TemperatureHigh", "critical", "91 °C", "85 °C", **sensor)
            ],
        },
    )


def test_a_sensor_beyond_its_limit_says_both_with_its_unit(tmp_path: Path) -> None:
    """Light, volts, amperes and watts have no threshold of ours: the limit is the device's."""
    rx = {"sensor": HOSTILE, "limit": "low_critical"}
    check(
        tmp_path,
        {series("chm_sensor_beyond_limit", **SCRAPED, **rx, unit="dbm"): "-17.25x60"},
        {series("chm_sensor_limit_dbm", **SCRAPED, **rx): "-14x60"},
        {series("chm_sensor_limit_dbm", **{**SCRAPED, "device": "r2"}, **rx): "-2x60"},
        told={
            "SensorOutOfRange@30m": [
                told("SensorOutOfRange", "warning", "-17.25 dbm", "-14 dbm", sensor=HOSTILE)
            ]
        },
    )


@pytest.mark.parametrize(("value", "left"), [(9, [7]), (1, [2]), (5, [])])
def test_a_baseline_says_which_side_of_its_band_was_left(
    tmp_path: Path, value: float, left: list[float]
) -> None:
    """What is asked for the threshold is the upper edge, or the lower one."""
    labels = {"baseline": "b", "aggregate": "traffic", "method": "adaptive", "site": HOSTILE}
    promql = baselines.LEFT
    for place, name in enumerate(("baseline", "site", "role"), start=1):
        quoted = re.search(r"=(.*)\}$", series("x", y=labels.get(name, "")))
        assert quoted
        promql = promql.replace(f"%[{place}]q", quoted[1])
    run(
        tmp_path,
        {
            series("value", **labels): f"{value}x5",
            series("upper", **labels): "7x5",
            series("lower", **labels): "2x5",
        },
        checks={
            "promql_expr_test": [
                {
                    "expr": promql.replace(baselines.VALUE, "value")
                    .replace(baselines.UPPER, "upper")
                    .replace(baselines.LOWER, "lower"),
                    "eval_time": "3m",
                    "exp_samples": [
                        {"labels": f"{'upper' if side > 5 else 'lower'}{_braced(labels)}"}
                        | {"value": side}
                        for side in left
                    ],
                }
            ]
        },
        families="routing",
    )


def _braced(labels: Mapping[str, str]) -> str:
    return series("", **labels)


def test_every_alert_of_a_threshold_tells_it() -> None:
    """What compares with a threshold that people set names it; figures come in pairs."""
    alerts = rules.alerts(INTENT)
    assert {bool(a.value) for a in alerts if "chm_threshold" in a.expr} == {True}
    assert [a.name for a in alerts if bool(a.value) != bool(a.threshold)] == []


def test_a_question_that_is_no_promql_is_refused() -> None:
    """A mistake in what is asked shows when the rules are made, not in a message."""
    with pytest.raises(ValueError, match="unexpected"):
        units.asked("ratio", "max({device=%[1]q", "device")
