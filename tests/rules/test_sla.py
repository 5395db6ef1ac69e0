"""Budgets of sites: what burns them fires, what cannot be told from a lost poll does not."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import rules
from rules import burn_rates
from tests.rules.promtool import BUDGET, INTENT, Series, device, evaluate, series

SEVERITIES = {pair.words: pair.severity for pair in burn_rates.PAIRS}
FIRING = f'ALERTS{{alertname="{BUDGET}", alertstate="firing"}}'
EXPR = f"count by (alertname, severity, site, window) ({FIRING})"


def checked(folder: Path, *parts: Series, firing: dict[str, list[str]]) -> None:
    """Fail unless the budget of the site is told to burn in exactly these windows."""
    expected = {at: [_sample(window) for window in windows] for at, windows in firing.items()}
    evaluate(folder, *parts, expr=EXPR, expected=expected)


def _sample(window: str) -> dict[str, Any]:
    labels = {"alertname": BUDGET, "severity": SEVERITIES[window], "site": "lab", "window": window}
    return {"labels": series("", **labels), "value": 1}


def test_an_outage_burns_the_budget_until_its_short_window_is_good(tmp_path: Path) -> None:
    """A quarter of an hour is much of 43 minutes; each pair ends with its short window."""
    checked(
        tmp_path,
        device("sw1", "1x59 0x14 1x600"),
        device("sw2", site="other"),
        firing={
            "59m": [],
            "70m": ["6h", "1d", "3d"],
            "110m": ["1d", "3d"],
            "220m": ["3d"],
            "450m": [],
        },
    )


def test_one_lost_poll_burns_nothing(tmp_path: Path) -> None:
    """Also of the only device of a site, and if it is seen twice."""
    answers = "1x59 0x1 1x600"
    checked(tmp_path, device("sw1", answers), firing={"61m": [], "62m": [], "90m": []})


def test_one_of_ten_is_a_tenth(tmp_path: Path) -> None:
    """The share of a site's devices counts, so a large site is not told of each of them."""
    others = [device(f"sw{number}") for number in range(2, 11)]
    down = device("sw1", "1x59 0x29 1x600")
    checked(tmp_path, down, *others, firing={"80m": [], "88m": ["6h"]})


def test_maintenance_burns_nothing(tmp_path: Path) -> None:
    """What is worked on is neither bad nor a part of the site."""
    intent = {series("chm_maintenance_active", device="sw1", job="chm-intent"): "1x720"}
    checked(tmp_path, device("sw1", "1x59 0x60"), intent, firing={"80m": [], "110m": []})


@pytest.mark.parametrize(
    ("objective", "step", "windows"),
    [
        (0.99, 60, ["1h", "6h", "1d", "3d"]),
        (0.995, 60, ["1h", "6h", "1d", "3d"]),
        (0.999, 60, ["6h", "1d", "3d"]),  # 1h: 52 seconds are bad enough
        (0.9995, 60, ["1d", "3d"]),
        (0.9995, 15, ["6h", "1d", "3d"]),
        (0.93, 60, ["6h", "1d", "3d"]),  # 14.4 times 7 % is more than all
        (0.8, 60, ["1d", "3d"]),
    ],
)
def test_a_pair_is_left_out_that_is_of_no_use(
    objective: float, step: float, windows: list[str]
) -> None:
    """What could not fire, or would at one lost poll, is no alert."""
    assert [pair.words for pair in burn_rates.pairs(objective, step)] == windows


@pytest.mark.parametrize("step", [15, 60])
def test_an_objective_that_no_pair_fits_is_refused(step: float) -> None:
    """It is said why, by window, when the settings are read and not when nobody is told."""
    with pytest.raises(
        ValueError, match=r"objective of 0\.9999: 1h: one lost poll .* 3d: one lost"
    ):
        dataclasses.replace(INTENT, objective=0.9999, scrape_interval=step, evaluation_interval=1)


def test_without_an_objective_there_is_nothing_to_watch() -> None:
    """Who promises nothing has no rule for it, and the file stays for who does later."""
    text = rules.render(dataclasses.replace(INTENT, objective=None))["sla.yml"]
    assert yaml.safe_load(text) == {"groups": []}


@pytest.mark.parametrize("step", [60, 15])
def test_the_bounds_that_are_documented(step: float) -> None:
    """Up to the objectives of the guide each window is there, a ten-thousandth above it is not."""
    text = (Path(__file__).parents[2] / "docs/howto/handle-alerts.md").read_text()
    (minute,) = re.findall(
        r"`1h` is for objectives up to (\S+), `6h` up to (\S+), .* to (\S+);", text
    )
    (quarter,) = re.findall(r"of 15 s up to (\S+), (\S+) and (\S+)\. ", text)
    hour, six, days = map(float, minute if step == 60 else quarter)
    for word, bound in (("1h", hour), ("6h", six), ("1d", days), ("3d", days)):
        pair = next(one for one in burn_rates.PAIRS if one.words == word)
        assert (pair.fault(bound, step), bool(pair.fault(bound + 0.0001, step))) == ("", True)
