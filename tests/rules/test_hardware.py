from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rules.promtool import Series, asked, check, device, samples, series, threshold

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


def told(name: str, values: str, bad: int, **labels: str) -> Series:
    """Give what says whether something is broken, and the fault that the exporter tells with it."""
    faults = ["_"]
    for value in samples(values):
        gone = "stale" if faults[-1] == str(bad) else "_"
        faults.append(value if value == str(bad) else gone)
    fault = measured("chm_fault", " ".join(faults[1:]), **labels, metric=name)
    return {**measured(name, values, **labels), **fault}


def limit(metric: str, sensor: str, **values: float) -> Series:
    return {
        series(f"chm_{metric}", **LABELS, sensor=sensor, limit=name): f"{value}x60"
        for name, value in values.items()
    }


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

    def test_most_devices_have_the_same_thresholds(self, tmp_path: Path) -> None:
        """A device without thresholds of its own has those of most; one with its own has no other.

        One that left the inventory has none.
        """
        others = [{**LABELS, "device": name} for name in ("own", "removed")]
        hot = {series("chm_temperature_celsius", **o, sensor="inlet"): "65x60" for o in others}

        check(
            tmp_path,
            device("r1"),
            device("own"),
            asked("removed"),
            threshold(None, "temperature", 60, 75),
            threshold("own", "temperature", 70, 75),
            measured("chm_temperature_celsius", "65x60", sensor="inlet"),
            hot,
            firing={"10m": ['TemperatureHigh{device="r1", severity="warning"}']},
            by="device, severity",
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


class TestOwnLimits:
    """A device that tells the limits of a sensor knows better than a threshold for all sensors."""

    @pytest.mark.parametrize(
        ("celsius", "severities"), [(85, []), (95, ["warning"]), (106, ["warning", "critical"])]
    )
    def test_they_stand_in_for_the_threshold(
        self, tmp_path: Path, celsius: float, severities: list[str]
    ) -> None:
        """A processor that may reach 90 degrees is not hot at 85, whatever the threshold is."""
        alerts = [f'TemperatureHigh{{device="r1", severity="{each}"}}' for each in severities]
        beyond = (crossed("cpu", "celsius", f"high_{each}", celsius) for each in severities)

        check(
            tmp_path,
            device("r1"),
            threshold("r1", "temperature", 60, 75),
            measured("chm_temperature_celsius", f"{celsius}x60", sensor="cpu"),
            limit("temperature_limit_celsius", "cpu", high_warning=90, high_critical=105),
            *beyond,
            firing={"10m": alerts},
            by="device, severity, unit, limit",
        )

    def test_those_of_one_sensor_are_not_those_of_another(self, tmp_path: Path) -> None:
        """A sensor without a limit keeps the threshold; a limit of 0 was never set."""
        check(
            tmp_path,
            device("r1"),
            threshold("r1", "temperature", 60, 75),
            measured("chm_temperature_celsius", "65x60", sensor="cpu"),
            measured("chm_temperature_celsius", "66x60", sensor="inlet"),
            measured("chm_temperature_celsius", "67x60", sensor="outlet"),
            limit("temperature_limit_celsius", "cpu", high_critical=105),
            limit("temperature_limit_celsius", "outlet", high_critical=0),
            firing={
                "10m": [
                    'TemperatureHigh{device="r1", sensor="inlet"}',
                    'TemperatureHigh{device="r1", sensor="outlet"}',
                ]
            },
            by="device, sensor",
        )

    @pytest.mark.parametrize(
        ("unit", "limit", "fires"),
        [
            ("dbm", "low_critical", True),
            ("dbm", "high_critical", True),
            ("dbm", "high_warning", False),
            ("celsius", "low_critical", True),
            ("celsius", "low_warning", False),
        ],
    )
    def test_a_reading_beyond_them_is_told(
        self, tmp_path: Path, unit: str, limit: str, *, fires: bool
    ) -> None:
        """What is critical by the word of the device is told; heat has an alert of its own."""
        told = ['SensorOutOfRange{device="r1", sensor="Rx"}'] if fires else []
        check(
            tmp_path,
            device("r1"),
            crossed("Rx", unit, limit, -17),
            firing={"10m": told, "70m": []},
            by="device, sensor, unit, limit",
        )


def crossed(sensor: str, unit: str, limit: str, reading: float) -> Series:
    labels = {"sensor": sensor, "unit": unit, "limit": limit}
    return measured("chm_sensor_beyond_limit", f"{reading}x60", **labels)


class TestWordsOfTheDevice:
    """What a device says of itself is an alert, by the name that it gives."""

    @pytest.mark.parametrize(
        ("alert", "metric", "bad", "label"),
        [
            ("SensorOutOfRange", "chm_sensor_ok", 0, "sensor"),
            ("DeviceAlarm", "chm_alarm_active", 1, "alarm"),
            ("ComponentDegraded", "chm_component_degraded", 1, "component"),
        ],
    )
    def test_fires_and_resolves(
        self, tmp_path: Path, alert: str, metric: str, bad: int, label: str
    ) -> None:
        """It fires while the device says so."""
        values = f"{1 - bad}x9 {bad}x20 {1 - bad}x60"

        check(
            tmp_path,
            device("r1"),
            told(metric, values, bad, **{label: "x"}),
            firing={"11m": [], "13m": [f'{alert}{{device="r1", {label}="x"}}'], "35m": []},
            by=f"device, {label}",
        )


@pytest.mark.parametrize(
    ("alert", "metric", "label"),
    [
        ("FanFailed", "chm_fan_up", "fan"),
        ("PowerSupplyFailed", "chm_power_supply_up", "psu"),
        ("ModuleFailed", "chm_module_up", "module"),
        ("StackMemberLost", "chm_stack_member_up", "member"),
    ],
)
class TestParts:
    def test_fires_and_resolves(self, tmp_path: Path, alert: str, metric: str, label: str) -> None:
        """A part that fails is told by its name, and is over when it works again."""
        failed = f'{alert}{{device="r1", {label}="1"}}'

        check(
            tmp_path,
            device("r1"),
            told(metric, "1x9 0x20 1x60", 0, **{label: "1"}),
            measured(metric, "1x90", **{label: "2"}),
            firing={"11m": [], "13m": [failed], "35m": []},
            by=f"device, {label}",
        )

    def test_part_of_a_removed_device_is_quiet(
        self, tmp_path: Path, alert: str, metric: str, label: str
    ) -> None:
        """A device that is not in the inventory has no alerts."""
        failed = told(metric, "0x60", 0, **{label: alert})
        check(tmp_path, asked("r1"), failed, firing={"20m": []})

    def test_part_that_vanishes_has_failed(
        self, tmp_path: Path, alert: str, metric: str, label: str
    ) -> None:
        """A part that was there and is not is told until it is back."""
        gone = f'{alert}{{device="r1", site="lab", {label}="2"}}'

        check(
            tmp_path,
            device("r1"),
            measured("chm_collectors_failed", "0x300"),
            measured(metric, "1x300", **{label: "1"}),
            measured(metric, "1x99 _x150 1x40", **{label: "2"}),
            firing={"99m": [], "120m": [gone], "240m": [gone], "260m": []},
            by=f"device, site, {label}",
        )

    def test_part_that_is_renamed_has_not(
        self, tmp_path: Path, alert: str, metric: str, label: str
    ) -> None:
        """New names after an upgrade are as many parts as before, and no alert."""
        check(
            tmp_path,
            device("r1"),
            measured("chm_collectors_failed", "0x200"),
            measured(metric, "1x99 stale", **{label: alert}),
            measured(metric, "_x99 1x100", **{label: "new"}),
            firing={"110m": [], "150m": []},
        )

    def test_silence_is_no_loss(self, tmp_path: Path, alert: str, metric: str, label: str) -> None:
        """Where a collector failed or the device is down, no part is missing."""
        check(
            tmp_path,
            device("r1"),
            measured("chm_collectors_failed", "0x99 1x40 0x60"),
            measured(metric, "1x99 stale _x39 1x60", **{label: alert}),
            firing={"110m": [], "130m": [], "142m": []},
        )
