from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rules.promtool import run

LABELS = 'device="nas1",site="lab",role="storage",vendor="Dell"'
USED = f'storage:utilization:ratio{{{LABELS},storage="/var"}}'
INVENTORY = f"device:chm_inventory_device_info:current{{{LABELS}}}"


def forecast(folder: Path, used: str, told: Mapping[str, Sequence[str]], known: str = "") -> None:
    """Fail unless these alerts fire at each hour, with one sample and one evaluation an hour."""
    tests: list[dict[str, Any]] = [
        {
            "expr": 'count by (alertname, storage) (ALERTS{alertstate="firing"})',
            "eval_time": at,
            "exp_samples": [
                {"labels": f'{{alertname="{name}", storage="/var"}}', "value": 1} for name in names
            ],
        }
        for at, names in told.items()
    ]
    given = {USED: used, INVENTORY: known or "1x500"}
    checks = {"promql_expr_test": tests}
    run(folder, given, checks=checks, families="capacity", step="1h")


def test_a_disk_that_fills_steadily_is_told_a_month_ahead(tmp_path: Path) -> None:
    """A tenth of a percent an hour from 60 %: full in 17 days, and told after a week of proof."""
    forecast(tmp_path, "0.6+0.001x250", {"100h": [], "155h": [], "170h": ["StorageFull"]})


@pytest.mark.parametrize(
    "used",
    [
        pytest.param("0.6x400", id="does not grow"),
        pytest.param("0.6x180 0.8x200", id="grew once"),
        pytest.param("0.2+0.0009x300", id="is less than half full"),
        pytest.param("0.9-0.001x400", id="empties"),
        pytest.param("0.6+0.001x130 0.5x200", id="was cleaned"),
    ],
)
def test_what_will_not_be_full_is_quiet(tmp_path: Path, used: str) -> None:
    """No alert for what does not fill."""
    forecast(tmp_path, used, {f"{hour}h": [] for hour in range(100, 320, 10)})


def test_two_points_foretell_nothing(tmp_path: Path) -> None:
    """A device that is new has no forecast, however steep its first hours were."""
    forecast(tmp_path, "_x160 0.6+0.01x38", {"170h": [], "198h": []})


def test_a_device_that_was_removed_is_quiet(tmp_path: Path) -> None:
    """What left the inventory has no forecast."""
    forecast(tmp_path, "0.6+0.001x350", {"240h": []}, known="1x180 stale")
