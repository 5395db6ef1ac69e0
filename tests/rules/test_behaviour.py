"""The story that a rule set is played before it goes live, told by the real promtool."""

import subprocess
from pathlib import Path

import pytest
import yaml

import rules
from rules import Change
from tests.rules.promtool import PUBLIC_URL
from tests.tools import tool

WEEK = 604_800


def play(folder: Path, intent: rules.Intent, **changed: str) -> subprocess.CompletedProcess[str]:
    """Play the story of `intent` to its rules, some files of which may be others."""
    intent = rules.shortened(intent)
    files = {**rules.render(intent), **{f"{name}.yml": text for name, text in changed.items()}}
    for name, text in files.items():
        (folder / name).write_text(text)
    document = {"rule_files": sorted(files), **rules.behaviour(intent)}
    path = folder / "behaviour.yaml"
    path.write_text(yaml.safe_dump(document))
    command = [tool("promtool"), "test", "rules", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("evaluation", "scrape", "down_for"),
    [(1, 1, 120), (2, 2, 4), (15, 15, 120), (15, 60, 120), (120, 60, 1), (15, 240, 86_400)],
)
def test_rules_pass_it_whatever_the_intervals(
    tmp_path: Path, evaluation: float, scrape: float, down_for: float
) -> None:
    """An outage is told, with its symptom, and ends, however often devices are asked."""
    result = play(tmp_path, rules.Intent(PUBLIC_URL, evaluation, scrape, down_for))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"DeviceDown": Change(hold=0, keep=0)},
        {"DeviceDown": Change(hold=86_400, keep=3_600)},
        {"DeviceDown": Change(hold=WEEK, keep=WEEK)},
        {"DeviceUnreachable": Change(keep=WEEK)},
        {"DeviceUnreachable": Change(enabled=False)},
        {"DeviceDown": Change(enabled=False), "DeviceUnreachable": Change(enabled=False)},
    ],
)
def test_it_follows_what_people_changed(tmp_path: Path, change: dict[str, Change]) -> None:
    """Of an alert that comes later, or not at all, no more is asked than people asked for."""
    result = play(tmp_path, rules.Intent(PUBLIC_URL, changes=change))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("{alert: DeviceDown, expr: vector(1)}", "an alarm that is always there"),
        ("{record: 'device:chm_device_up:changes', expr: 'vector(1)'}", None),
    ],
)
def test_a_foreign_rule_that_makes_noise_fails_it(
    tmp_path: Path, rule: str, why: str | None
) -> None:
    """A file beside ours that tells of an outage that is none is caught; a harmless one is not."""
    text = f"groups: [{{name: mine, rules: [{rule}]}}]"
    result = play(tmp_path, rules.Intent(PUBLIC_URL), mine=text)
    assert (result.returncode == 0) is (why is None), result.stdout + result.stderr


def test_a_set_without_availability_fails_it(tmp_path: Path) -> None:
    """A family that tells nothing any more is caught, though nothing is wrong with its syntax."""
    result = play(tmp_path, rules.Intent(PUBLIC_URL), availability="groups: []")
    assert result.returncode != 0
    assert "DeviceDown" in result.stdout + result.stderr
