from typing import Any

from pydantic import TypeAdapter

from exporter.metrics import Family
from exporter.profiles.schema import Module
from exporter.profiles.table import Table
from exporter.profiles.values import Value

INDEX = [{"labelname": "i", "type": "gauge"}]


def series(metric: dict[str, Any], answers: dict[str, Value]) -> dict[str, float]:
    """Return the samples of one metric at 1.3.9 as a mapping of series to value."""
    raw = {"metrics": [{"name": "m", "oid": "1.3.9", "indexes": INDEX, **metric}]}
    table = Table(TypeAdapter(Module).validate_python(raw))
    families = table.families(answers)
    return {f.name + block: number for f in families for block, number in f.samples}


class TestTypes:
    def test_number(self) -> None:
        """Scale and offset are applied; a text where a number belongs gives no sample."""
        answers: dict[str, Value] = {"1.3.9.1": 250, "1.3.9.2": b"n/a"}
        assert series({"type": "gauge", "scale": 0.1, "offset": 5}, answers) == {'m{i="1"}': 30}

    def test_string(self) -> None:
        """A text is a label named after the metric, unless the index says the same."""
        assert series({"type": "DisplayString"}, {"1.3.9.1": b"x"}) == {'m{i="1",m="x"}': 1}
        own = {"type": "gauge", "labelname": "m"}
        assert series({"type": "OctetString", "indexes": [own]}, {"1.3.9.7": b"x"}) == {
            'm{m="7"}': 1
        }

    def test_info(self) -> None:
        """An enum as info is one series; an unknown value is its number."""
        metric = {"type": "EnumAsInfo", "enum_values": {1: "up", 2: "down"}}
        assert series(metric, {"1.3.9.1": 1, "1.3.9.2": 9}) == {
            'm_info{i="1",m="up"}': 1,
            'm_info{i="2",m="9"}': 1,
        }

    def test_state_set(self) -> None:
        """An enum as state set is one series per state."""
        metric = {"type": "EnumAsStateSet", "enum_values": {1: "up", 2: "down"}}
        assert series(metric, {"1.3.9.1": 2}) == {'m{i="1",m="up"}': 0, 'm{i="1",m="down"}': 1}

    def test_bits(self) -> None:
        """Bit 0 is the highest bit of the first octet."""
        metric = {"type": "Bits", "enum_values": {0: "a", 7: "b", 9: "c"}}
        assert series(metric, {"1.3.9.1": b"\x81"}) == {
            'm{i="1",m="a"}': 1,
            'm{i="1",m="b"}': 1,
            'm{i="1",m="c"}': 0,
        }

    def test_address(self) -> None:
        """The column before an InetAddress tells its type."""
        answers: dict[str, Value] = {"1.3.8.1": 1, "1.3.9.1": b"\xc0\0\2\1", "1.3.9.2": b"\1"}
        assert series({"type": "InetAddress"}, answers) == {
            'm{i="1",m="192.0.2.1"}': 1,
            'm{i="2",m="0x01"}': 1,
        }

    def test_regex_extracts(self) -> None:
        """Numbers in a text are taken by the first expression that matches all of it."""
        extracts = {
            "Volts": [
                {"regex": r"^(?:(\d+)mV)$", "value": "0.$1"},
                {"regex": r"(\d+)V", "value": "${1}"},
            ]
        }
        answers: dict[str, Value] = {"1.3.9.1": b"250mV", "1.3.9.2": b"12V", "1.3.9.3": b"dead"}
        assert series({"type": "DisplayString", "regex_extracts": extracts}, answers) == {
            'mVolts{i="1"}': 0.25,
            'mVolts{i="2"}': 12,
        }


class TestLookups:
    def test_chained(self) -> None:
        """A looked-up number can be the index of the next lookup, and the index be dropped."""
        lookups = [
            {"labelname": "port", "labels": ["i"], "oid": "1.3.5", "type": "gauge"},
            {"labelname": "name", "labels": ["port"], "oid": "1.3.6", "type": "DisplayString"},
            {"labelname": "i", "labels": []},
        ]
        answers: dict[str, Value] = {"1.3.5.1": 44, "1.3.6.44": b"Gi1", "1.3.9.1": 3, "1.3.9.2": 4}
        assert series({"type": "gauge", "lookups": lookups}, answers) == {
            'm{name="Gi1",port="44"}': 3,
            'm{name="",port=""}': 4,
        }

    def test_scalar(self) -> None:
        """A scalar has no labels."""
        assert series({"type": "gauge", "indexes": []}, {"1.3.9.0": 3}) == {"m": 3}


def test_shortest_prefix_wins() -> None:
    """Of two metrics with nested OIDs the outer one takes the values, as in snmp_exporter."""
    metrics = [
        {"name": n, "oid": o, "type": "gauge"} for n, o in (("a", "1.3.9.1"), ("b", "1.3.9"))
    ]
    table = Table(TypeAdapter(Module).validate_python({"metrics": metrics}))
    families: list[Family] = table.families({"1.3.9.1.0": 5, "1.3.99.0": 6})
    assert [family.name for family in families] == ["b"]


def test_strangers_hide_no_column() -> None:
    """Answers that are in no column are passed over, and what stands between them is not."""
    raw = {
        "metrics": [
            {"name": "near", "oid": "1.3.9", "type": "gauge", "indexes": INDEX},
            {"name": "below", "oid": "1.3.8.5", "type": "gauge", "indexes": INDEX},
        ]
    }
    answers: dict[str, Value] = {"1.3.7.1": 1, "1.3.7.2": 1, "1.3.8.4": 2, "1.3.8.5.1": 3}
    answers |= {"1.3.8.6": 4, "1.3.9.1": 5, "1.3.10.1": 6, "1.3.9.2": 7}
    cells = Table(TypeAdapter(Module).validate_python(raw)).cells(answers)
    assert {name: dict(rows) for name, rows in cells.items()} == {
        "below": {"1": 3},
        "near": {"1": 5, "2": 7},
    }
