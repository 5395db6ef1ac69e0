from typing import Any

import pytest
from pydantic import TypeAdapter

from exporter.profiles.schema import Module
from exporter.profiles.table import Table
from exporter.profiles.values import Value
from tests.exporter.profiles import applied

COLUMNS = ["value", "more", "factor", "exponent", "digits", "state"]
LABELS = {"sensor": ["name", "i"]}


def samples(entries: list[dict[str, Any]], answers: dict[str, Value]) -> dict[str, float]:
    """Return what health entries make of a table whose columns are 1.3.1, 1.3.2 and so on."""
    metric = {
        "type": "gauge",
        "indexes": [{"labelname": "i", "type": "gauge"}],
        "lookups": [
            {"labelname": "name", "labels": ["i"], "oid": "1.3.9", "type": "DisplayString"},
            {"labelname": "other", "labels": ["i"], "oid": "1.3.8", "type": "gauge"},
        ],
    }
    metrics = [{**metric, "name": n, "oid": f"1.3.{c}"} for c, n in enumerate(COLUMNS, 1)]
    metrics.append({**metric, "name": "word", "oid": "1.3.7", "type": "DisplayString"})
    base = {"family": "chm_temperature_celsius", "value": "value", "labels": LABELS}
    raw = {"metrics": metrics, "health": [{**base, **entry} for entry in entries]}
    return applied(Table(TypeAdapter(Module).validate_python(raw)), answers)


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
            ({"states": {"ok": "up", 3: "down"}, "value": "word"}, {7: b"ok"}, 1),
            ({"states": {"ok": "up", 3: "down"}, "value": ["state", "word"]}, {6: 3, 7: b"ok"}, 0),
            ({"minus": "=100", "scale": -0.01}, {1: 30}, 0.7),
            ({"times": "other"}, {1: 3, 8: 4}, 12),
            ({"formula": "dbm"}, {1: 0.001}, 0),
            ({"present": True}, {1: b"there"}, 1),
            ({"where": {"name": "~^$"}}, {1: 3}, 3),
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
            ({"states": {"ok": "up"}, "value": "word"}, {7: b"absent"}),
            ({"where": {"state": 1}}, {1: 3}),
            ({"without": {"state": 5}}, {1: 3, 6: 5}),
            ({}, {1: b"n/a"}),
            ({}, {1: None}),
            ({"extract": r"(\d+)%"}, {1: b"broken"}),
            ({"formula": "dbm"}, {1: 0}),
            ({"present": True}, {1: b""}),
            ({"without": {"value": "~^[34]$"}}, {1: 3}),
            ({"words": {"sensor": {"2": "two"}}}, {1: 3}),
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

    def test_several_rows_of_one_part(self) -> None:
        """Rows that tell the same of one part are one sample; other parts are told apart by it."""
        answers: dict[str, Value] = {"1.3.1.1": 30, "1.3.1.2": 30, "1.3.1.3": 40}
        answers |= {f"1.3.9.{row}": b"fan" for row in (1, 2, 3)}
        answers |= {"1.3.8.1": 70, "1.3.8.2": 70, "1.3.8.3": 80}
        assert samples([{"part": "other"}], answers) == {
            'chm_temperature_celsius{sensor="fan 70"}': 30,
            'chm_temperature_celsius{sensor="fan 80"}': 40,
        }

    def test_rows_of_one_part_that_disagree(self) -> None:
        """Of two values for one thing at least one is wrong, so there is none."""
        answers: dict[str, Value] = {"1.3.1.1": 30, "1.3.1.2": 40, "1.3.8.1": 70, "1.3.8.2": 70}
        answers |= {"1.3.9.1": b"fan", "1.3.9.2": b"fan"}
        assert samples([{"part": "other"}], answers) == {}

    def test_an_entry_repeats_nothing(self) -> None:
        """A series that an entry gave is not given again by one that comes later."""
        entries: list[dict[str, Any]] = [{"where": {"i": 1}}, {"value": "more"}]
        answers: dict[str, Value] = {"1.3.1.1": 30, "1.3.2.1": 31, "1.3.2.2": 32}
        assert samples(entries, answers) == {
            'chm_temperature_celsius{sensor="1"}': 30,
            'chm_temperature_celsius{sensor="2"}': 32,
        }

    def test_names_without_their_state(self) -> None:
        """A name does not change with the state of what it names."""
        entry = {"labels": {"sensor": "name"}, "strip": ", (GREEN|RED)$"}
        for text in (b"inlet, GREEN", b"inlet, RED "):
            assert samples([entry], {"1.3.1.1": 5, "1.3.9.1": text}) == {
                'chm_temperature_celsius{sensor="inlet"}': 5
            }

    def test_names_of_several_sources(self) -> None:
        """A name can be put together; what has no text is left out of it."""
        entry = {"labels": {"sensor": "name+=row+i"}}
        answers: dict[str, Value] = {"1.3.1.1": 1, "1.3.1.2": 2, "1.3.9.1": b"cpu"}
        assert samples([entry], answers) == {
            'chm_temperature_celsius{sensor="cpu row 1"}': 1,
            'chm_temperature_celsius{sensor="row 2"}': 2,
        }

    def test_words(self) -> None:
        """A label can be translated, also from several columns."""
        entry = {
            "family": "chm_temperature_limit_celsius",
            "labels": {"sensor": "name", "limit": "more+state"},
            "words": {"limit": {"10 1": "low_warning"}},
        }
        answers: dict[str, Value] = {"1.3.1.1": 5, "1.3.2.1": 10, "1.3.6.1": 1, "1.3.9.1": b"in"}
        assert samples([entry], answers) == {
            'chm_temperature_limit_celsius{limit="low_warning",sensor="in"}': 5
        }

    def test_addresses_of_ipv6(self) -> None:
        """An IPv6 address is written as RFC 5952 wants it."""
        expanded = b"2001:0DB8:0000:0000:0000:0000:0000:0001"
        entry = {"labels": {"sensor": "name"}}
        assert samples([entry], {"1.3.1.1": 5, "1.3.9.1": expanded}) == {
            'chm_temperature_celsius{sensor="2001:db8::1"}': 5
        }


class TestEntriesTogether:
    """What entries of a module share of a row is looked up once, and mixes nothing up."""

    def test_conditions(self) -> None:
        """A row that one entry takes is left by another that wants the opposite."""
        fan = {"family": "chm_fan_speed_rpm", "labels": {"fan": "name"}}
        found = samples(
            [
                {"where": {"state": 8}},
                {**fan, "without": {"state": 8}},
                {**fan, "where": {"state": 9}},
            ],
            {
                "1.3.1.1": 40,
                "1.3.1.2": 900,
                "1.3.6.1": 8,
                "1.3.6.2": 10,
                "1.3.9.1": b"a",
                "1.3.9.2": b"b",
            },
        )
        assert found == {
            'chm_temperature_celsius{sensor="a"}': 40,
            'chm_fan_speed_rpm{fan="b"}': 900,
        }

    def test_names(self) -> None:
        """The same source is called differently where another entry strips it or falls back."""
        entries: list[dict[str, Any]] = [
            {"strip": " fan$"},
            {"family": "chm_fan_up", "labels": {"fan": "name"}, "states": {4: "up"}},
            {
                "family": "chm_power_supply_up",
                "labels": {"psu": ["other", "name"]},
                "states": {4: "up"},
            },
        ]
        assert samples(entries, {"1.3.1.1": 4, "1.3.9.1": b"left fan"}) == {
            'chm_temperature_celsius{sensor="left"}': 4,
            'chm_fan_up{fan="left fan"}': 1,
            'chm_power_supply_up{psu="left fan"}': 1,
        }

    @pytest.mark.parametrize(
        "entry",
        [
            {"without": {"state": 3}},
            {
                "value": "state",
                "family": "chm_power_supply_up",
                "labels": {"psu": "name"},
                "states": {2: "up"},
            },
        ],
        ids=["left out", "no state"],
    )
    def test_a_part_keeps_its_name(self, entry: dict[str, Any]) -> None:
        """Of two parts of one name, one does not change its name when the other falls silent."""
        rows: dict[str, Value] = {
            "1.3.1.1": 40,
            "1.3.1.2": 50,
            "1.3.9.1": b"PSU",
            "1.3.9.2": b"PSU",
        }
        both = samples([entry], {**rows, "1.3.6.1": 2, "1.3.6.2": 2})
        one = samples([entry], {**rows, "1.3.6.1": 2, "1.3.6.2": 3})
        assert len(both) == 2
        assert len(one) == 1
        assert one.keys() < both.keys()
