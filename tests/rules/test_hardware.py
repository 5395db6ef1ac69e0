from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rules.promtool import Series, check, device, series, threshold

LABELS = {
    "device": "r1",
    "site": "lab",
    "role": "core",
    "vendor": "Cisco",
    "instance": "r1",
    "job": "chm-devices",
}


def measured(name: str, values: str, **labels: str) -> Series:
    return {series(name, **LABELS, **labels): values}


class TestThresholds:
    @pytest.mark.parametrize(
        ("alert", "metric", "limits", "series_of"),
        [
            (
                "CpuHigh",
                "cpu_utilization",
                (0.8, 0.95),
                lambda text: measured("chm_cpu_utilization_ratio", text.format(0.85), cpu="0"),
            ),
            (
                "MemoryHigh",
                "memory_utilization",
                (0.8, 0.95),
                lambda text: measured("chm_memory_utilization_ratio", text.format(0.85), pool="p"),
            ),
            (
                "TemperatureHigh",
                "temperature",
                (60, 75),
                lambda text: measured("chm_temperature_celsius", text.format(65), sensor="s"),
            ),
        ],
    )
    def test_warns_and_resolves(
        self,
        tmp_path: Path,
        alert: str,
        metric: str,
        limits: tuple[float, float],
        series_of: Callable[[str], Series],
    ) -> None:
        """A value above the warning and below the critical threshold warns while it stays."""
        check(
            tmp_path,
            device("r1"),
            threshold("r1", metric, *limits),
            series_of("0x9 {}x20 0x60"),
            firing={
                "9m": [],
                "13m": [],
                "16m": [f'{alert}{{device="r1", severity="warning"}}'],
                "31m": [],
            },
            by="device, severity",
        )

    def test_critical_stands_beside_its_warning(self, tmp_path: Path) -> None:
        """Above both thresholds both fire; Alertmanager mutes the warning."""
        both = [
            f'TemperatureHigh{{device="r1", severity="{severity}", sensor="inlet"}}'
            for severity in ("critical", "warning")
        ]

        check(
            tmp_path,
            device("r1"),
            threshold("r1", "temperature", 60, 75),
            measured("chm_temperature_celsius", "80x60", sensor="inlet"),
            firing={"10m": both},
            by="device, severity, sensor",
        )

    def test_each_device_has_its_own_threshold(self, tmp_path: Path) -> None:
        """A device whose threshold was raised is quiet where another one warns."""
        other = {**LABELS, "device": "r2"}

        check(
            tmp_path,
            device("r1"),
            device("r2"),
            threshold("r1", "temperature", 60, 75),
            threshold("r2", "temperature", 70, 75),
            measured("chm_temperature_celsius", "65x60", sensor="inlet"),
            {series("chm_temperature_celsius", **other, sensor="inlet"): "65x60"},
            firing={"10m": ['TemperatureHigh{device="r1"}']},
        )

    def test_one_busy_processor_of_four_is_no_trouble(self, tmp_path: Path) -> None:
        """The mean over the processors of a device counts."""
        processors = [
            measured("chm_cpu_utilization_ratio", f"{1 if cpu == 0 else 0.1}x60", cpu=str(cpu))
            for cpu in range(4)
        ]

        check(
            tmp_path,
            device("r1"),
            threshold("r1", "cpu_utilization", 0.8, 0.95),
            *processors,
            firing={"20m": []},
        )

    def test_memory_in_bytes_is_as_good_as_a_ratio(self, tmp_path: Path) -> None:
        """A device that tells used and size, and no ratio, is watched too."""
        check(
            tmp_path,
            device("r1"),
            threshold("r1", "memory_utilization", 0.8, 0.95),
            measured("chm_memory_used_bytes", "900x60", pool="p"),
            measured("chm_memory_size_bytes", "1000x60", pool="p"),
            firing={"10m": ['MemoryHigh{device="r1", pool="p"}']},
            by="device, pool",
        )

    def test_control_plane_down_changes_no_threshold(self, tmp_path: Path) -> None:
        """Thresholds hold for half an hour in which the control plane is down."""
        limits = dict.fromkeys(threshold("r1", "temperature", 60, 60), "60x4 stale")
        inventory = {name: "1x4 stale" for name in device("r1") if "inventory" in name}

        check(
            tmp_path,
            device("r1"),
            inventory,
            limits,
            {'up{job="chm-intent"}': "1x4 0x200"},
            measured("chm_temperature_celsius", "50x19 80x100", sensor="s"),
            firing={
                "34m": [
                    f'TemperatureHigh{{device="r1", severity="{severity}"}}'
                    for severity in ("critical", "warning")
                ]
            },
            by="device, severity",
        )


@pytest.mark.parametrize(
    ("alert", "metric", "label"),
    [("FanFailed", "chm_fan_up", "fan"), ("PowerSupplyFailed", "chm_power_supply_up", "psu")],
)
class TestParts:
    def test_fires_and_resolves(self, tmp_path: Path, alert: str, metric: str, label: str) -> None:
        """A part that fails is told by its name, and is over when it works again."""
        failed = f'{alert}{{device="r1", {label}="1"}}'

        check(
            tmp_path,
            device("r1"),
            measured(metric, "1x9 0x20 1x60", **{label: "1"}),
            measured(metric, "1x90", **{label: "2"}),
            firing={"11m": [], "13m": [failed], "35m": []},
            by=f"device, {label}",
        )

    def test_part_of_a_removed_device_is_quiet(
        self, tmp_path: Path, alert: str, metric: str, label: str
    ) -> None:
        """A device that is not in the inventory has no alerts."""
        check(tmp_path, measured(metric, "0x60", **{label: alert}), firing={"20m": []})
