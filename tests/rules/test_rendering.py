import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

import rules
from rules import rendering
from tests.rules.promtool import INTENT
from tests.tools import tool


def test_promtool_accepts_every_file_without_a_warning(tmp_path: Path) -> None:
    """What is rendered passes Prometheus' own checker, lint included."""
    paths = []
    plain = dataclasses.replace(INTENT, baselines=(), objective=None)
    for number, intent in enumerate((INTENT, plain)):
        for name, text in rules.render(intent).items():
            paths.append(tmp_path / f"{number}-{name}")
            paths[-1].write_text(text)
    command = [tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_same_intent_gives_the_same_bytes() -> None:
    """A rule set changes only when the intent does."""
    assert rules.render(INTENT) == rules.render(dataclasses.replace(INTENT))


def test_files_and_groups_keep_their_names() -> None:
    """A renamed file or group would reset every pending alert."""
    groups = {
        name: [group["name"] for group in yaml.safe_load(text)["groups"]]
        for name, text in rules.render(INTENT).items()
    }

    assert groups == {
        "intent.yml": ["chm-intent", "chm-thresholds"],
        "availability.yml": ["chm-availability", "chm-availability-polled"],
        "interfaces.yml": [
            "chm-interfaces",
            "chm-interfaces-traffic",
            "chm-interfaces-lasting",
        ],
        "hardware.yml": ["chm-hardware", "chm-hardware-lost"],
        "routing.yml": ["chm-routing"],
        "performance.yml": ["chm-performance"],
        "capacity.yml": ["chm-capacity-hourly", "chm-capacity"],
        "baselines.yml": ["chm-baselines-bands", "chm-baselines"],
        "sla.yml": ["chm-sla", "chm-sla-lasting"],
        "stack.yml": ["chm-stack", "chm-stack-devices"],
    }


@pytest.mark.parametrize(
    "url",
    [
        'https://chm.example.net/"x',
        "https://chm.example.net\n",
        "https://chm.example.net/{{ query `up` }}",
        "https://chm.example.net/\nfoo: bar",
        "https://user:word@chm.example.net",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_hostile_public_url_is_refused(url: str) -> None:
    """Nothing that could leave its YAML string or run a template reaches a rule."""
    with pytest.raises(ValueError, match="public_url"):
        rules.Intent(url)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 90_000])
@pytest.mark.parametrize("name", ["down_for", "scrape_interval", "evaluation_interval"])
def test_a_duration_prometheus_cannot_use_is_refused(name: str, seconds: float) -> None:
    """Durations are finite, at least a second, and short enough for values not to be forgotten."""
    chosen: dict[str, Any] = {name: seconds}
    with pytest.raises(ValueError, match=name):
        rules.Intent("http://chm", **chosen)


def test_a_template_that_runs_a_query_is_refused() -> None:
    """Annotations may show labels and the value, and nothing else."""
    with pytest.raises(ValueError, match="template"):
        rendering.template("{{ query `up` }}")


def test_what_was_changed_about_an_alert_is_rendered() -> None:
    """Other times for each rule of the name, none for one switched off; the rest stays."""
    changes = {
        "CpuHigh": rules.Change(hold=60, keep=0.5),
        "JitterHigh": rules.Change(keep=30),
        "DeviceDown": rules.Change(enabled=False),
        "Unknown": rules.Change(hold=1),
    }
    shipped, changed = (
        {
            (rule["alert"], rule["labels"]["severity"]): rule
            for text in rules.render(intent).values()
            for group in yaml.safe_load(text)["groups"]
            for rule in group["rules"]
            if "alert" in rule
        }
        for intent in (INTENT, dataclasses.replace(INTENT, changes=changes))
    )

    assert shipped.keys() - changed.keys() == {("DeviceDown", "critical")}
    for severity in ("critical", "warning"):
        cpu, jitter = changed["CpuHigh", severity], changed["JitterHigh", severity]
        assert (cpu["for"], cpu["keep_firing_for"]) == ("60s", "500ms")
        assert (jitter["for"], jitter["keep_firing_for"]) == ("300s", "30s")
    others = {key for key in changed if key[0] not in changes}
    assert all(changed[key] == shipped[key] for key in others)


def test_one_lost_poll_tells_nobody() -> None:
    """DeviceDown waits for two scrapes, however short down_for is."""
    intent = rules.Intent("http://chm", scrape_interval=60, down_for=1)
    (down,) = [alert for alert in rules.alerts(intent) if alert.name == "DeviceDown"]

    assert down.hold == 120


def test_every_recorded_series_that_a_rule_reads_is_recorded() -> None:
    """A misspelt series would leave an alert silent for ever."""
    recorded, read = set[str](), set[str]()
    for text in rules.render(INTENT).values():
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                recorded.add(rule.get("record", ""))
                read |= set(_names(promql_parser.parse(rule["expr"])))

    assert {name for name in read if ":" in name} <= recorded


def _names(node: object) -> list[str]:
    """Return the metric names below a node of a parsed expression."""
    if isinstance(node, promql_parser.MatrixSelector):
        return _names(node.vector_selector)
    if isinstance(node, promql_parser.VectorSelector):
        return [node.name] if node.name else []
    children = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param")]
    children += getattr(node, "args", None) or []
    return [name for child in children if child is not None for name in _names(child)]


def test_alerts_lead_to_the_board_of_their_device() -> None:
    """Where there is a Grafana an alert about a device names its board; the stack's have none."""
    intent = dataclasses.replace(INTENT, grafana_url="https://grafana.example.net/")
    boards = {
        rule["alert"]: rule["annotations"].get("dashboard_url")
        for text in rules.render(intent).values()
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }

    assert boards["DeviceDown"] == (
        "https://grafana.example.net/d/chm-device?var-device={{ $labels.device }}"
    )
    assert boards["OutageWithoutRoot"] == "https://grafana.example.net/d/chm-fleet"
    assert boards["ExporterDown"] is None
    assert "dashboard_url" not in "".join(rules.render(INTENT).values())


@pytest.mark.parametrize("url", ['https://grafana"x', "javascript:alert(1)"])
def test_a_hostile_grafana_url_is_refused(url: str) -> None:
    """The address of Grafana cannot forge an annotation either."""
    with pytest.raises(ValueError, match="grafana_url"):
        rules.Intent("http://chm", grafana_url=url)


def test_what_is_about_a_device_says_whose_it_is() -> None:
    """The team is looked up unless an expression has it; the stack itself is nobody's."""
    looked_up = {
        (rule["alert"], rule["labels"]["alertclass"])
        for text in rules.render(INTENT).values()
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if "team" in rule.get("labels", ())
    }
    of_inventory = {alert.name for alert in rules.alerts(INTENT) if alert.of_inventory}

    assert "stack" not in {alertclass for _, alertclass in looked_up}
    assert {name for name, _ in looked_up} == {
        alert.name for alert in rules.alerts(INTENT) if alert.alertclass != "stack"
    } - of_inventory
