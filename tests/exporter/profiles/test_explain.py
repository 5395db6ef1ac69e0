from typing import Any

from pydantic import TypeAdapter

from exporter.profiles import explain, health
from exporter.profiles.explain import Entry, Series, Source
from exporter.profiles.loader import Configuration
from exporter.profiles.schema import Module
from exporter.profiles.table import Table
from exporter.profiles.values import Value

FANS = {
    "metrics": [
        {
            "name": name,
            "oid": oid,
            "type": "gauge",
            "indexes": [{"labelname": "i", "type": "gauge"}],
            "lookups": [
                {"labelname": "name", "labels": ["i"], "oid": "1.3.9", "type": "DisplayString"}
            ],
        }
        for name, oid in (("fan", "1.3.1"), ("size", "1.3.2"))
    ]
}
STATES = {1: "up", 2: "degraded", 3: "down"}
FAN = {"family": "chm_fan_up", "value": "fan", "labels": {"fan": "name"}, "states": STATES}


def entries(entry: dict[str, Any], answers: dict[str, Value], *given: str) -> list[Entry]:
    raw = {**FANS, "health": [entry]}
    return explain.entries(Table(TypeAdapter(Module).validate_python(raw)), answers, given)


def reason(entry: dict[str, Any], value: Value, size: Value = None) -> str:
    """Return why a row has no sample."""
    base = {"family": "chm_fan_speed_rpm", "value": "fan", "labels": {"fan": "name"}}
    answers = {"1.3.1.7": value} | ({} if size is None else {"1.3.2.7": size})
    [told] = entries({**base, **entry}, answers)
    [row] = told.rows
    assert row.series == ()
    return row.reason


def test_what_a_row_became() -> None:
    """A row is told with the objects it was read from and every sample that came of it."""
    [told] = entries(FAN, {"1.3.1.7": 2, "1.3.9.7": b"left"})

    [row] = told.rows
    assert row.index == "7"
    assert set(row.sources) == {Source("fan", "1.3.1.7", 2), Source("name", "1.3.9.7", b"left")}
    assert row.series == (
        Series("chm_fan_up", {"fan": "left"}, 1),
        Series("chm_component_degraded", {"kind": "fan", "component": "left"}, 1),
    )
    assert row.reason == ""


def test_labels_as_on_the_page() -> None:
    """Rows of one name carry the labels that the page has, where they are told apart."""
    [told] = entries(FAN, {"1.3.1.7": 1, "1.3.1.8": 1, "1.3.9.7": b"fan", "1.3.9.8": b"fan"})
    assert [row.series[0].labels["fan"] for row in told.rows] == ["fan 7", "fan 8"]


class TestReasons:
    """A row without a sample says why, in words that an engineer can look up in the MIB."""

    def test_value(self) -> None:
        """Sentinels, texts, absurd results and states without a meaning are told apart."""
        assert reason({"ignore": -1}, -1) == "-1 of fan means no value"
        assert reason({}, b"n/a") == "fan is 'n/a', which holds no number"
        assert reason({}, None) == "fan has no value"
        assert reason({"maximum": 9}, 10) == "10 is above 9.0"
        assert reason({"minimum": 1}, -10) == "-10 is below 1.0"
        assert reason({"states": {1: "up"}}, 7) == "no state for 7"

    def test_conditions_and_operands(self) -> None:
        """Conditions name what is in their way, operands what is missing."""
        assert reason({"where": {"size": 1}}, 5, 2) == "not wanted, as size is '2'"
        assert reason({"without": {"size": 2}}, 5, 2) == "not wanted, as size is '2'"
        assert reason({"plus": "size"}, 5) == "size has no value"
        assert reason({"times": "size", "ignore": 0}, 5, 0) == "0 of size means no value"
        assert reason({"precision": "size"}, 5, 1615384784) == "1615384784 of size is absurd"

    def test_entries(self) -> None:
        """An entry without rows, and a fallback that nobody needed, say so."""
        assert entries(FAN, {})[0].reason == explain.NOTHING
        fallback = {**FAN, "fallback": True}
        assert entries(fallback, {"1.3.1.7": 1}, "chm_fan_up")[0].reason == explain.NOT_NEEDED
        assert entries(fallback, {"1.3.1.7": 1})[0].reason == ""


def test_agrees_with_the_page(configuration: Configuration) -> None:
    """What is explained is exactly what a scrape yields."""
    column = "1.3.6.1.4.1.9.9.109.1.1.1.1"
    answers: dict[str, Value] = {f"{column}.12.7": 100, f"{column}.13.7": 300, f"{column}.12.8": 0}
    table = configuration.modules["cisco_process_memory"]
    page = health.families(table, answers, table.rows(answers), set())
    told = explain.entries(table, answers)

    shown = [one for entry in told for row in entry.rows for one in row.series]
    assert [(family.name, value) for family in page for _, value in family.samples] == [
        (one.family, one.value) for one in shown
    ]
    assert len(shown) == 2
    assert [row.reason for row in told[2].rows] == ["", "0 of cpmCPUMemoryUsed means no value"]
