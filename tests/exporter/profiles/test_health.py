from typing import Any

import pytest
from pydantic import TypeAdapter

from exporter.profiles import health
from exporter.profiles.loader import Configuration
from exporter.profiles.schema import Module
from exporter.profiles.table import Table
from exporter.profiles.values import Value

COLUMNS = ["value", "more", "factor", "exponent", "digits", "state"]
LABELS = {"sensor": ["name", "i"]}


def samples(entries: list[dict[str, Any]], answers: dict[str, Value]) -> dict[str, float]:
    """Return what health entries make of a table whose columns are 1.3.1, 1.3.2 and so on."""
    metric = {
        "type": "gauge",
        "indexes": [{"labelname": "i", "type": "gauge"}],
        "lookups": [
            {"labelname": "name", "labels": ["i"], "oid": "1.3.9", "type": "DisplayString"}
        ],
    }
    metrics = [{**metric, "name": n, "oid": f"1.3.{c}"} for c, n in enumerate(COLUMNS, 1)]
    base = {"family": "chm_temperature_celsius", "value": "value", "labels": LABELS}
    raw = {"metrics": metrics, "health": [{**base, **entry} for entry in entries]}
    return applied(Table(TypeAdapter(Module).validate_python(raw)), answers)


def applied(table: Table, answers: dict[str, Value]) -> dict[str, float]:
    found = health.families(table, answers, table.rows(answers), set())
    return {family.name + block: value for family in found for block, value in family.samples}


def one(entry: dict[str, Any], answers: dict[str, Value]) -> float | None:
    return samples([entry], answers).get('chm_temperature_celsius{sensor="1"}')


def test_a_degraded_part_is_up_and_told_apart() -> None:
    states = {1: "up", 2: "degraded", 3: "down"}
    entry = {"family": "chm_fan_up", "labels": {"fan": "name"}, "states": states}
    rows = {"1.3.1.1": 1, "1.3.1.2": 2, "1.3.1.3": 3}
    names = {"1.3.9.1": b"left", "1.3.9.2": b"right", "1.3.9.3": b"rear"}
    assert samples([entry], {**rows, **names}) == {
        'chm_fan_up{fan="left"}': 1,
        'chm_fan_up{fan="right"}': 1,
        'chm_fan_up{fan="rear"}': 0,
        'chm_component_degraded{component="left",kind="fan"}': 0,
        'chm_component_degraded{component="right",kind="fan"}': 1,
        'chm_component_degraded{component="rear",kind="fan"}': 0,
    }


class TestValue:
    @pytest.mark.parametrize(
        ("entry", "row", "expected"),
        [
            ({"scale": 0.5}, {1: 98}, 49),
            ({"scale": 0.001}, {1: 70875}, 70.875),
            ({"plus": "more"}, {1: 3, 2: 4}, 7),
            ({"minus": "more", "times": "factor"}, {1: 9, 2: 4, 3: 10}, 50),
            ({"precision": "digits"}, {1: 30, 5: -2}, 30),
            ({"precision": "digits", "ignore": [-(10**9)]}, {1: -127, 5: 1}, -12.7),
            ({"plus": "more", "ignore": 0}, {1: 3, 2: 0}, 3),
            ({"value": ["more", "value"]}, {1: 3}, 3),
            ({"value": ["more", "value"], "ignore": 0}, {1: 3, 2: 0}, 3),
            ({"unsigned": True}, {1: -1}, 2**32 - 1),
            ({"sensor_scale": "exponent", "precision": "digits"}, {1: 345, 4: 8, 5: 1}, 0.0345),
            ({}, {1: b"54"}, 54),
            ({"extract": r"(\d+\.\d+) degrees"}, {1: b"22.50 degrees Celsius"}, 22.5),
            ({"where": {"state": [1, 2]}}, {1: 3, 6: 2}, 3),
            ({"states": {2: "up", 3: "down"}}, {1: 3}, 0),
        ],
        ids=str,
    )
    def test_result(self, entry: dict[str, Any], row: dict[int, Value], expected: float) -> None:
        """A value is put into base units as its entry says."""
        assert one(entry, {f"1.3.{column}.1": value for column, value in row.items()}) == expected

    @pytest.mark.parametrize(
        ("entry", "row"),
        [
            ({"ignore": -127}, {1: -127}),
            ({"times": "factor", "ignore": 0}, {1: 2048, 3: 0}),
            ({"plus": "more", "ignore": 2**32 - 1}, {1: 3, 2: 2**32 - 1}),
            ({"maximum": 200}, {1: 201}),
            ({"minimum": 0}, {1: -1}),
            ({"plus": "more"}, {1: 3}),
            ({"minus": "more"}, {1: 3}),
            ({"times": "factor"}, {1: 3}),
            ({"precision": "digits"}, {1: 3, 5: 1615384784}),
            ({"sensor_scale": "exponent"}, {1: 3}),
            ({"states": {2: "up"}}, {1: 5}),
            ({"where": {"state": 1}}, {1: 3}),
            ({"without": {"state": 5}}, {1: 3, 6: 5}),
            ({}, {1: b"n/a"}),
            ({}, {1: None}),
            ({"extract": r"(\d+)%"}, {1: b"broken"}),
        ],
        ids=str,
    )
    def test_missing_is_missing(self, entry: dict[str, Any], row: dict[int, Value]) -> None:
        """What the device does not tell, or says to be no value, has no sample: never 0."""
        assert samples([entry], {f"1.3.{column}.1": v for column, v in row.items()}) == {}


class TestRows:
    def test_names(self) -> None:
        """A row is named by the first source that has text; equal names are told apart."""
        answers: dict[str, Value] = {f"1.3.1.{row}": row for row in (1, 2, 3, 4)}
        answers |= {"1.3.9.1": b"inlet ", "1.3.9.2": b"cpu", "1.3.9.3": b"cpu"}
        assert samples([{}], answers) == {
            'chm_temperature_celsius{sensor="inlet"}': 1,
            'chm_temperature_celsius{sensor="cpu 2"}': 2,
            'chm_temperature_celsius{sensor="cpu 3"}': 3,
            'chm_temperature_celsius{sensor="4"}': 4,
        }

    def test_fallback(self) -> None:
        """A fallback is used only where nothing before it gave the family."""
        entries = [{}, {"value": "more", "fallback": True}]
        assert samples(entries, {"1.3.1.1": 5, "1.3.2.1": 6}).popitem()[1] == 5
        assert samples(entries, {"1.3.2.1": 6}).popitem()[1] == 6

    def test_fixed_row(self) -> None:
        """`column.index` is one row, whatever row is asked about."""
        entry = {"value": "value.1", "minus": ["value.2"]}
        assert one(entry, {"1.3.1.1": 9, "1.3.1.2": 4, "1.3.1.3": 1}) == 5


class TestShipped:
    """The traps of vendors, in the modules the product ships."""

    def test_cisco_kilobytes(self, configuration: Configuration) -> None:
        """The MIB counts cpmCPUMemory in kilobytes."""
        column = "1.3.6.1.4.1.9.9.109.1.1.1.1"
        answers: dict[str, Value] = {f"{column}.12.7": 100, f"{column}.13.7": 300}
        assert applied(configuration.modules["cisco_process_memory"], answers) == {
            'chm_memory_used_bytes{pool="Processor"}': 102_400,
            'chm_memory_size_bytes{pool="Processor"}': 409_600,
        }

    def test_cisco_saturated_pool(self, configuration: Configuration) -> None:
        """The 64-bit columns of a memory pool come before the 32-bit ones that saturate."""
        column = "1.3.6.1.4.1.9.9.221.1.1.1.1"
        answers: dict[str, Value] = {f"{column}.3.1.1": b"DRAM"}
        answers |= {f"{column}.7.1.1": 2**32 - 1, f"{column}.8.1.1": 2**32 - 1}
        answers |= {f"{column}.18.1.1": 5 * 2**30, f"{column}.20.1.1": 3 * 2**30}
        assert applied(configuration.modules["cisco_enhanced_memory"], answers) == {
            'chm_memory_used_bytes{pool="DRAM"}': 5 * 2**30,
            'chm_memory_size_bytes{pool="DRAM"}': 8 * 2**30,
        }

    def test_cisco_absent_supply(self, configuration: Configuration) -> None:
        """A power supply that is not present is neither up nor down."""
        column = "1.3.6.1.4.1.9.9.13.1.5.1"
        answers: dict[str, Value] = {f"{column}.2.1": b"PS1", f"{column}.3.1": 5}
        assert applied(configuration.modules["cisco_envmon"], answers) == {}

    def test_cisco_line_card(self, configuration: Configuration) -> None:
        """A line card in the table of powered units is no power supply."""
        answers: dict[str, Value] = {}
        for row, kind in ((1, 9), (2, 6)):
            answers[f"1.3.6.1.2.1.47.1.1.1.1.5.{row}"] = kind
            answers[f"1.3.6.1.4.1.9.9.117.1.1.2.1.2.{row}"] = 8
        assert applied(configuration.modules["cisco_fru"], answers) == {
            'chm_power_supply_up{psu="2"}': 0
        }

    def test_juniper_zero(self, configuration: Configuration) -> None:
        """Zero means inapplicable: a fan tray has no processor, memory or temperature."""
        column = "1.3.6.1.4.1.2636.3.1.13.1"
        answers: dict[str, Value] = {f"{column}.5.4.1.0.0": b"Fan Tray 0"}
        answers |= {f"{column}.{field}.4.1.0.0": 0 for field in (7, 8, 11, 15)}
        assert applied(configuration.modules["juniper_operating"], answers) == {}

    def test_net_snmp_caches(self, configuration: Configuration) -> None:
        """Buffers and caches are not memory in use."""
        answers: dict[str, Value] = {
            f"1.3.6.1.4.1.2021.4.{field}.0": number
            for field, number in ((5, 1000), (6, 300), (14, 100), (15, 200))
        }
        assert applied(configuration.modules["ucd_memory"], answers) == {
            'chm_memory_used_bytes{pool="Physical memory"}': 400 * 1024,
            'chm_memory_size_bytes{pool="Physical memory"}': 1000 * 1024,
        }

    def test_host_resources_above_limit(self, configuration: Configuration) -> None:
        """A storage size beyond Integer32 comes as a negative number and is read as unsigned."""
        table = "1.3.6.1.2.1.25.2.3.1"
        answers: dict[str, Value] = {
            f"{table}.2.1": "1.3.6.1.2.1.25.2.1.2",
            f"{table}.3.1": b"RAM",
            f"{table}.4.1": 1024,
            f"{table}.5.1": -(2**31),
        }
        assert applied(configuration.modules["host_memory"], answers) == {
            'chm_memory_size_bytes{pool="RAM"}': 2**31 * 1024
        }
