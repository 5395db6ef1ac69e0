from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rules.promtool import evaluate, run

LABELS = 'device="nas1",site="lab",role="storage",vendor="Dell"'
DISK = ("storage:utilization:ratio", "storage", "/var")
HEAP = ("pool:memory_utilization:ratio", "pool", "heap")
INVENTORY = f"device:chm_inventory_device_info:current{{{LABELS}}}"


def forecast(
    folder: Path,
    used: str,
    told: Mapping[str, Sequence[str]],
    known: str = "",
    full: tuple[str, str, str] = DISK,
) -> None:
    """Fail unless these alerts fire at each hour, with one sample and one evaluation an hour."""
    recorded, label, value = full
    tests: list[dict[str, Any]] = [
        {
            "expr": f'count by (alertname, {label}) (ALERTS{{alertstate="firing"}})',
            "eval_time": at,
            "exp_samples": [
                {"labels": f'{{alertname="{name}", {label}="{value}"}}', "value": 1}
                for name in names
            ],
        }
        for at, names in told.items()
    ]
    given = {f'{recorded}{{{LABELS},{label}="{value}"}}': used, INVENTORY: known or "1x500"}
    checks = {"promql_expr_test": tests}
    run(folder, given, checks=checks, families="capacity", step="1h")


def test_a_disk_that_fills_steadily_is_told_a_month_ahead(tmp_path: Path) -> None:
    """A tenth of a percent an hour from 60 %: full in 17 days, and told after a week of proof."""
    told = {"100h": [], "155h": [], "170h": ["StorageFull"], "250h": ["StorageFull"], "256h": []}
    forecast(tmp_path, "0.6+0.001x250 0.3x50", told)


def test_memory_that_leaks_is_told_a_month_ahead(tmp_path: Path) -> None:
    """Memory that grows as steadily is told in the same way, and no more once it was given back."""
    told = {"155h": [], "170h": ["MemoryFull"], "256h": []}
    forecast(tmp_path, "0.6+0.001x250 0.3x50", told, full=HEAP)


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


@pytest.mark.parametrize("recorded", [DISK, HEAP])
def test_what_no_device_tells_is_recorded(tmp_path: Path, recorded: tuple[str, str, str]) -> None:
    """Storage and memory in use are shares, of devices that tell bytes, too."""
    name, label, value = recorded
    told = {
        f'chm_{family}_{what}_bytes{{{LABELS},{label}="{value}"}}': values
        for family in ("memory", "storage")
        for what, values in (("used", "900x9"), ("size", "1000x9"))
    }
    sample = {"labels": f'{name}{{{LABELS},{label}="{value}"}}', "value": 0.9}
    evaluate(tmp_path, told, expr=name, expected={"5m": [sample]})
