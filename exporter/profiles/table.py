"""Answers into series: a module's columns, found by OID and turned into families."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from exporter.metrics import Family, Kind, Number, label_block
from exporter.profiles import values
from exporter.profiles.rows import Answers, Key, Row, Rows, told_type
from exporter.profiles.schema import Metric, Module, RegexExtract
from exporter.profiles.values import Value

Cells = Mapping[str, Mapping[str, Value]]
"""Values by name of the metric and dotted index."""

NUMBERS = {"gauge", "counter", "Float", "Double"}


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of a module; `group` says with which columns it shares its rows."""

    metric: Metric
    prefix: str
    group: int


class Table:
    """A module made ready to be applied to answers."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.groups: list[Key] = []
        self.columns = {metric.oid: self._column(metric) for metric in module.metrics}
        self.by_name = {column.metric.name: column for column in self.columns.values()}
        self._depths = sorted({oid.count(".") + 1 for oid in self.columns})

    def _column(self, metric: Metric) -> Column:
        key = (metric.indexes, metric.lookups)
        if key not in self.groups:
            self.groups.append(key)
        return Column(metric, metric.oid + ".", self.groups.index(key))

    def rows(self, answers: Answers) -> list[Rows]:
        """Return the rows of every group of columns."""
        return [Rows(key, answers) for key in self.groups]

    def families(self, answers: Answers, rows: list[Rows]) -> list[Family]:
        """Return the series of the module's metrics, as snmp_exporter would name them."""
        out: dict[str, Family] = {}
        for column, run in self._runs(answers):
            metric, group = column.metric, rows[column.group]
            if metric.type in NUMBERS:
                _numbers(metric, group, run, out)
            else:
                write = _WRITERS.get(metric.type, _string)
                for index, value in run:
                    for family, sample in write(metric, group.at(index), index, value, answers):
                        out.setdefault(family.name, family).samples.append(sample)
        return [family for family in out.values() if family.samples]

    def cells(self, answers: Answers) -> Cells:
        """Return the raw values by metric and index."""
        cells: dict[str, dict[str, Value]] = defaultdict(dict)
        for column, run in self._runs(answers):
            cells[column.metric.name].update(run)
        return cells

    def _runs(self, answers: Answers) -> Iterator[tuple[Column, list[tuple[str, Value]]]]:
        """Yield each column with its values; a walk returns a column in one run."""
        column: Column | None = None
        run: list[tuple[str, Value]] = []
        prefix, start = "\0", 0
        for oid, value in answers.items():
            if not oid.startswith(prefix):
                if column is not None:
                    yield column, run
                column, run = self.find(oid), []
                if column is None:
                    prefix = "\0"
                    continue
                prefix, start = column.prefix, len(column.prefix)
            run.append((oid[start:], value))
        if column is not None:
            yield column, run

    def find(self, oid: str) -> Column | None:
        """Return the column whose OID is a prefix of `oid`; the shortest wins."""
        parts = oid.split(".")
        for depth in self._depths:
            if (column := self.columns.get(".".join(parts[:depth]))) is not None:
                return column
        return None


Written = Iterator[tuple[Family, tuple[str, Number]]]


def _numbers(
    metric: Metric, rows: Rows, run: list[tuple[str, Value]], out: dict[str, Family]
) -> None:
    if (family := out.get(metric.name)) is None:
        kind: Kind = "counter" if metric.type == "counter" else "gauge"
        family = out[metric.name] = Family(metric.name, kind, metric.help)
    append, known = family.samples.append, rows.known
    for index, value in run:
        # No number, no sample: a text where the MIB has a number says nothing about it.
        if (number := values.number(value)) is not None:
            row = known.get(index) or rows.at(index)
            append((row.block, _scaled(metric, number)))


def _scaled(metric: Metric, number: Number) -> Number:
    if metric.scale:
        number *= metric.scale
    return number + metric.offset if metric.offset else number


def _series(
    metric: Metric, row: Row, states: Mapping[str, Number], suffix: str = "", note: str = ""
) -> Written:
    """Yield one gauge per state, with the state as the label named after the metric."""
    family = Family(metric.name + suffix, "gauge", metric.help + note)
    for state, number in states.items():
        yield family, (label_block({**row.labels, metric.name: state}), number)


def _info(metric: Metric, row: Row, _index: str, value: Value, _answers: Answers) -> Written:
    if (number := values.number(value)) is not None:
        state = metric.enum_values.get(int(number), str(int(number)))
        yield from _series(metric, row, {state: 1}, "_info", " (EnumAsInfo)")


def _state_set(metric: Metric, row: Row, _index: str, value: Value, _answers: Answers) -> Written:
    if (number := values.number(value)) is not None:
        states: dict[str, Number] = dict.fromkeys(metric.enum_values.values(), 0)
        states[metric.enum_values.get(int(number), str(int(number)))] = 1
        yield from _series(metric, row, states, note=" (EnumAsStateSet)")


def _bits(metric: Metric, row: Row, _index: str, value: Value, _answers: Answers) -> Written:
    if isinstance(value, bytes):
        # RFC 3417 section 8: bit 0 is the highest bit of the first octet.
        states: dict[str, Number] = {
            name: int(bit < len(value) * 8 and bool(value[bit // 8] & 128 >> bit % 8))
            for bit, name in metric.enum_values.items()
        }
        yield from _series(metric, row, states, note=" (Bits)")


def _time(metric: Metric, row: Row, _index: str, value: Value, _answers: Answers) -> Written:
    moment: float | None
    if metric.type == "ParseDateAndTime":
        moment = values.parsed_date(value, metric.datetime_pattern)
    else:
        moment = _CLOCKS[metric.type](value)
    if moment is not None:
        yield Family(metric.name, "gauge", metric.help), (row.block, _scaled(metric, moment))


def _string(metric: Metric, row: Row, index: str, value: Value, answers: Answers) -> Written:
    kind: str = metric.type
    if kind in values.COMBINED:
        kind = told_type(kind, metric.oid, index, answers) or "OctetString"
    shown = values.text(value, kind)
    if metric.regex_extracts:
        for suffix, extracts in metric.regex_extracts.items():
            if (number := extracted(extracts, shown)) is not None:
                note = metric.help + " (regex extracted)"
                yield Family(metric.name + suffix, "gauge", note), (row.block, number)
        return
    block = row.block
    if metric.name not in row.labels:
        block = label_block({**row.labels, metric.name: shown})
    yield Family(metric.name, "gauge", metric.help), (block, _scaled(metric, 1))


def extracted(extracts: tuple[RegexExtract, ...], shown: str) -> float | None:
    """Return the number of the first extract that matches the whole text and yields one."""
    for extract in extracts:
        if (match := re.fullmatch(extract.regex, shown)) is None:
            continue
        try:
            return float(_expand(extract.value, match))
        except ValueError:
            continue
    return None


def _expand(template: str, match: re.Match[str]) -> str:
    """Fill a template of Go's regexp package: `$1`, `${1}`, `${name}`, `$$`."""

    def fill(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return match[int(name) if name.isdecimal() else name] or ""
        except IndexError:
            return ""

    return re.sub(r"\$(?:(\w+)|\{(\w+)\}|\$)", fill, template)


_CLOCKS: dict[str, Callable[[Value], float | None]] = {
    "DateAndTime": values.date_and_time,
    "NTPTimeStamp": values.ntp_time,
}
_WRITERS: dict[str, Callable[[Metric, Row, str, Value, Answers], Written]] = {
    "EnumAsInfo": _info,
    "EnumAsStateSet": _state_set,
    "Bits": _bits,
    "DateAndTime": _time,
    "NTPTimeStamp": _time,
    "ParseDateAndTime": _time,
}
