"""Runs the rendered rules through `promtool test rules`: series in, firing alerts out."""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml

import rules
from rules.options import Aggregate, By, Method
from tests.tools import tool

PUBLIC_URL = "https://chm.example.net"
# Everything there can be a baseline of: by site as adaptive, by role as robust.
BASELINES = tuple(
    rules.Baseline(f"{aggregate}-{by}", aggregate, method, by)
    for aggregate in get_args(Aggregate)
    for method, by in zip(get_args(Method), get_args(By), strict=True)
)
# One scrape and one evaluation a minute: a time in a test is a number of samples.
INTENT = rules.Intent(
    PUBLIC_URL,
    evaluation_interval=60,
    scrape_interval=60,
    down_for=120,
    baselines=BASELINES,
    objective=0.999,
)
BUDGET = "ErrorBudgetBurning"
INVENTORY = ("device", "site", "role", "vendor")
GROUPS = tuple(
    group["name"]
    for text in rules.render(INTENT).values()
    for group in yaml.safe_load(text)["groups"]
)

Series = Mapping[str, str]
Expected = Mapping[str, Sequence[str]]

# What promtool has shown of each alert so far: see `note`.
SHOWN: dict[str, set[str]] = defaultdict(set)
LIFE = ("quiet", "firing", "over")

# A stack in which everything runs, for twelve hours.
HEALTHY: Series = {
    'up{job="chm-intent"}': "1x720",
    'up{job="chm-controlplane"}': "1x720",
    'up{job="chm-exporter",instance="exporter:9116"}': "1x720",
    'up{job="chm-alertmanager"}': "1x720",
}


def series(name: str, **labels: str) -> str:
    """Write a series as promtool reads it."""
    inside = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
    return f"{name}{{{inside}}}"


def device(name: str, up: str | None = "1x720", *parents: str, site: str = "lab") -> Series:
    """Return a device of the inventory as the stack shows it; `up` None leaves out its samples."""
    labels = {"device": name, "site": site, "role": "core", "vendor": "Cisco"}
    scraped = {**labels, "instance": name, "job": "chm-devices"}
    intent = {"job": "chm-intent", "instance": "controlplane"}
    result = {
        series("chm_inventory_device_info", **labels, team="none", **intent): "1x720",
        series("up", **scraped): "1x720",
    }
    if up is not None:
        result[series("chm_device_up", **scraped)] = up
    for parent in parents:
        result[series("chm_topology_parent", device=name, parent=parent, **intent)] = "1x720"
    return result


def asked(name: str) -> Series:
    """Return what shows that Prometheus asks a device, whether it should or not."""
    return {name: text for name, text in device(name).items() if name.startswith("up{")}


def threshold(name: str | None, metric: str, warning: float, critical: float) -> Series:
    """Return the thresholds of a device as the control plane exposes them; None is most devices."""
    labels = {} if name is None else {"device": name}
    family = "chm_threshold_common" if name is None else "chm_threshold"
    values = {"warning": warning, "critical": critical}
    return {
        series(family, **labels, metric=metric, severity=severity): f"{value}x720"
        for severity, value in values.items()
    }


def samples(values: str) -> list[str]:
    """Write out the samples that promtool makes of `1x2 _x2 stale`."""
    found: list[str] = []
    for value, _, times in (part.partition("x") for part in values.split()):
        found += [value] * (int(times or 0) + (value != "_" or not times))
    return found


def check(
    folder: Path,
    *parts: Series,
    firing: Expected,
    by: str = "device",
    classes: str = "cause|symptom",
) -> None:
    """Fail unless exactly these alerts of the alert classes fire at each time.

    An alert is written `Name{label="value"}`, with those labels of `by` that it has. That an outage
    burns a budget is left to the tests of budgets.
    """
    chosen = f'ALERTS{{alertstate="firing", alertclass=~"{classes}", alertname!="{BUDGET}"}}'
    expected = {time: [_sample(alert) for alert in alerts] for time, alerts in firing.items()}
    evaluate(folder, *parts, expr=f"count by (alertname, {by}) ({chosen})", expected=expected)


def _sample(alert: str) -> dict[str, Any]:
    name, _, rest = alert.partition("{")
    labels = rest.rstrip("}")
    return {"labels": f'{{alertname="{name}"{"," if labels else ""}{labels}}}', "value": 1}


def evaluate(
    folder: Path, *parts: Series, expr: str, expected: Mapping[str, list[dict[str, Any]]]
) -> None:
    """Fail, with promtool's words, unless `expr` has these samples at these times."""
    tests = [{"expr": expr, "eval_time": at, "exp_samples": s} for at, s in expected.items()]
    run(folder, *parts, checks={"promql_expr_test": tests})


def run(
    folder: Path,
    *parts: Series,
    checks: Mapping[str, Any],
    families: str = "*",
    step: str = "1m",
    intent: rules.Intent = INTENT,
) -> None:
    """Run one promtool unit test over the series of all `parts`; later ones win.

    `families` chooses the rule files, `step` is the time between samples and evaluations.
    """
    for name, text in rules.render(intent).items():
        (folder / name).write_text(text)
    chosen = sorted(folder.glob(f"{families}.yml"))
    groups = [
        group["name"] for path in chosen for group in yaml.safe_load(path.read_text())["groups"]
    ]
    values = {name: value for part in (HEALTHY, *parts) for name, value in part.items()}
    test = {
        "rule_files": [str(path) for path in chosen],
        "evaluation_interval": step,
        "group_eval_order": [name for name in GROUPS if name in groups],
        "tests": [
            {
                "interval": step,
                "input_series": [
                    {"series": name, "values": value} for name, value in values.items()
                ],
                **checks,
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(test, sort_keys=False))
    result = subprocess.run(
        [tool("promtool"), "test", "rules", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    note(checks.get("promql_expr_test", ()))


def note(tests: Iterable[Mapping[str, Any]]) -> None:
    """Note which parts of its life an alert has gone through: quiet, firing, and over again."""
    moments = sorted(
        (_minutes(test["eval_time"]), "".join(sample["labels"] for sample in test["exp_samples"]))
        for test in tests
        if "ALERTS" in test["expr"]
    )
    told = [(at, set(re.findall(r'alertname="(\w+)"', labels))) for at, labels in moments]
    for name in set().union(*(names for _, names in told)):
        times = [at for at, names in told if name in names]
        SHOWN[name].add("firing")
        if any(at < times[0] for at, names in told if name not in names):
            SHOWN[name].add("quiet")
        if any(at > times[-1] for at, names in told if name not in names):
            SHOWN[name].add("over")


def _minutes(time: str) -> int:
    return sum(
        int(number) * {"m": 1, "h": 60}[unit] for number, unit in re.findall(r"(\d+)([mh])", time)
    )
