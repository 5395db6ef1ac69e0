"""Values that no MIB foresees: every scrape stays readable, and says what the device said."""

import string
from collections.abc import Mapping
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter import exposition
from exporter.profiles import health, identify, loader, values
from exporter.profiles.loader import Configuration
from exporter.profiles.schema import Metric
from exporter.profiles.table import Table
from exporter.profiles.values import Value

steady = settings(max_examples=200, deadline=None, derandomize=True, database=None)

NASTY = ['"', "\\", "\n", "\r", "\0", "\x1b[0m", '"} 1\nup{x="', "\u2028", "🦊", "\ud800", "{}"]
octets = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([text.encode("utf-8", "surrogatepass") for text in NASTY]),
    st.sampled_from([b"\x9f\x78\x04\x7f\xc0\x00\x00", b"\x9f\x79\x08\x7f\xf0" + bytes(6)]),
)
oids = st.lists(st.integers(0, 2**64), min_size=1, max_size=6).map(
    lambda arcs: ".".join(map(str, arcs))
)
anything: st.SearchStrategy[Value] = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from([0, 1, -1, 2**31, 2**32, 2**53, 2**63, 2**64 - 1]),
    octets,
    oids,
    st.floats(),
    st.none(),
)
indexes = st.one_of(
    st.integers(1, 3).map(str),
    st.lists(st.sampled_from([0, 1, 4, 6, 255, 256, 2**32 - 1, 2**70]), max_size=9).map(
        lambda arcs: ".".join(map(str, arcs))
    ),
)
arcs = st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**70)), max_size=20)


@cache
def configuration() -> Configuration:
    return loader.load([])


@st.composite
def answers(draw: st.DrawFn, table: Table) -> dict[str, Value]:
    """Draw answers below the columns of a module and below what they look up."""
    columns = [metric.oid for metric in table.module.metrics]
    columns += [lookup.oid for metric in table.module.metrics for lookup in metric.lookups]
    found: dict[str, Value] = {}
    for column in draw(st.lists(st.sampled_from(sorted(set(columns))), max_size=8)):
        for index in draw(st.lists(indexes, max_size=4)):
            found[f"{column}.{index}".rstrip(".")] = draw(anything)
    return found


tables = st.sampled_from(sorted(configuration().modules))


@steady
@given(tables, st.data())
def test_scrape(name: str, data: st.DataObject) -> None:
    """A scrape of nonsense is one that Prometheus reads, with the module's own names only."""
    table = configuration().modules[name]
    got = data.draw(answers(table))
    families = [*table.families(got), *health.families(table, got, table.rows(got), set())]
    body = exposition.render(families).body.decode()

    parsed = list(text_string_to_metric_families(body))
    known = {metric.name for metric in table.module.metrics}
    known |= {f"{metric.name}{suffix}" for metric in table.module.metrics for suffix in _of(metric)}
    known |= {entry.family for entry in table.module.health}
    if any("degraded" in entry.states.values() for entry in table.module.health):
        known.add("chm_component_degraded")
    # The parser of prometheus_client calls counters `…_total`.
    told = {sample.name for family in parsed for sample in family.samples}
    assert {name if name in known else name.removesuffix("_total") for name in told} <= known
    seen = [(s.name, tuple(sorted(s.labels.items()))) for f in parsed for s in f.samples]
    assert len(seen) == len(set(seen))


def _of(metric: Metric) -> set[str]:
    return {"_info", *metric.regex_extracts}


@steady
@given(tables, st.data())
def test_memory(name: str, data: st.DataObject) -> None:
    """What is remembered of a device changes the cost of its next scrape, and nothing else."""
    table = configuration().modules[name]
    for got in data.draw(st.lists(answers(table), min_size=2, max_size=3)):
        for _ in range(2):
            remembered = exposition.render(table.families(got, "device")).body
            assert remembered == exposition.render(table.families(got)).body


@steady
@given(st.dictionaries(st.sampled_from(identify.SYSTEM), anything))
def test_identity(got: Mapping[str, Value]) -> None:
    """Any system group identifies a device as something, and its facts are text."""
    profiles = configuration().profiles
    chosen = identify.profile(
        profiles,
        values.text(got.get(identify.SYS_OBJECT_ID), ""),
        values.text(got.get(identify.SYS_DESCR), "DisplayString"),
    )
    assert all(isinstance(fact, str) for fact in identify.facts(profiles[chosen], got).values())
    assert identify.uptime(got) is None or identify.uptime(got) is not None


@steady
@given(anything, st.sampled_from(["", "OctetString", "DisplayString", "PhysAddress48", "Bits"]))
def test_text(value: Value, kind: str) -> None:
    """Any value has a text, and the text is one that UTF-8 can carry."""
    values.text(value, kind).encode("utf-8", "replace")


@steady
@given(
    arcs,
    st.sampled_from(sorted({*values.COMBINED, *values._FIXED, "OctetString", "DisplayString"})),
    st.integers(0, 30),
    st.booleans(),
)
def test_index(parts: list[int], kind: str, size: int, implied: bool) -> None:  # noqa: FBT001
    """Any index has a text no longer than the index deserves, and leaves the rest alone."""
    shown, used, rest = values.index(tuple(parts), kind, size, implied)

    assert len(shown) <= 80 * (len(parts) + 30)
    assert list(rest) == parts[len(parts) - len(rest) :]
    assert len(used) <= len(parts) + 30


@steady
@given(st.one_of(anything, st.text(string.printable).map(str.encode)))
def test_times(value: Value) -> None:
    """Any value is a moment or none."""
    for read in (values.date_and_time, values.ntp_time):
        assert read(value) is None or isinstance(read(value), float)
    assert values.parsed_date(value, "%Y-%m-%d") is None or isinstance(value, bytes | str)


def test_ten_thousand_sensors_of_one_name() -> None:
    """However many parts share a nasty name, each is one series that Prometheus reads."""
    table, rows = configuration().modules["entity_sensor"], range(1, 10_001)
    sensor, entity = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.2.1.47.1.1.1.1"
    got: dict[str, Value] = {f"{entity}.7.{i}": b'"} 1\nup{x="\xff' for i in rows}
    for column, value in enumerate((8, 9, 0, 40, 1), 1):
        got |= {f"{sensor}.{column}.{i}": value for i in rows}
    page = exposition.render(health.families(table, got, table.rows(got), set()))

    (family, *_) = text_string_to_metric_families(page.body.decode())
    assert family.name == "chm_temperature_celsius"
    assert len({sample.labels["sensor"] for sample in family.samples}) == len(rows)
    assert page.duplicates == 0
