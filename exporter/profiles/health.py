"""Columns into the `chm_*` vocabulary, as the `health` entries of a module say."""

import ipaddress
import math
import re
from collections.abc import Iterable, Iterator, Mapping

from exporter.metrics import Family, Number, family
from exporter.profiles import functions, values
from exporter.profiles.rows import Answers, Rows
from exporter.profiles.schema import Health, State
from exporter.profiles.table import Cells, Table

# Above 0 is up.
STATES: dict[State, Number] = {"up": 1, "degraded": 0.5, "down": 0}
UNITS_SCALE = 9  # SensorDataScale `units` of ENTITY-SENSOR-MIB; each step is a factor of 1000

EXPANDED = re.compile("([0-9A-F]{4}:){7}[0-9A-F]{4}")  # how snmp_exporter writes IPv6

Sample = tuple[str, dict[str, str], Number]
"""What tells a row apart (its index, mostly), the labels of its sample, and the value."""


def families(table: Table, answers: Answers, rows: list[Rows], given: set[str]) -> list[Family]:
    """Return the normalised families of a module; `given` are those the device has already."""
    cells = table.cells(answers)
    out: list[Family] = []
    for entry in table.module.health:
        if entry.fallback and (entry.family in given or any(f.name == entry.family for f in out)):
            continue
        if samples := _apart(list(_samples(entry, table, cells, rows))):
            out += _told(entry, samples)
    return out


def _apart(samples: list[Sample]) -> list[Sample]:
    """Return each part once; other parts of the same name have their index added to it."""
    parts: dict[tuple[str, ...], dict[str, Sample]] = {}
    for sample in samples:
        parts.setdefault(tuple(sample[1].values()), {}).setdefault(sample[0], sample)
    for alike in parts.values():
        for index, labels, _ in alike.values():
            if labels and len(alike) > 1:
                first = next(iter(labels))
                labels[first] = f"{labels[first]} {index}".strip()
    kept = {id(sample) for alike in parts.values() for sample in alike.values()}
    return [sample for sample in samples if id(sample) in kept]


def _told(entry: Health, samples: list[Sample]) -> Iterator[Family]:
    """Yield the family of an entry and, where its parts can be degraded, which of them are."""
    made = family(entry.family)
    for _, labels, number in samples:
        made.add(math.ceil(number) if entry.states else number, labels)
    yield made
    if "degraded" in entry.states.values():
        degraded = family("chm_component_degraded")
        for _, labels, number in samples:
            (kind, component), *_ = labels.items()
            degraded.add(int(number == STATES["degraded"]), {"kind": kind, "component": component})
        yield degraded


def _samples(entry: Health, table: Table, cells: Cells, rows: list[Rows]) -> Iterator[Sample]:
    for index in _indexes(entry, cells):
        read = Reader(entry, table, cells, rows, index)
        if not read.wanted() or (number := read.result()) is None:
            continue
        if (labels := read.labels()) is not None:
            yield read.part(), labels, number


def _indexes(entry: Health, cells: Cells) -> Iterable[str]:
    """Return the rows that have any of the value columns, each once, in the device's order."""
    found: dict[str, None] = {}
    for name in entry.value:
        column, _, fixed = name.partition(".")
        found.update(dict.fromkeys([fixed] if fixed else cells.get(column, ())))
    return found


class Reader:
    """One row of a table as one `health` entry reads it."""

    def __init__(
        self, entry: Health, table: Table, cells: Cells, rows: list[Rows], index: str
    ) -> None:
        self._entry, self._table, self._cells, self._rows = entry, table, cells, rows
        self.index = index

    def wanted(self) -> bool:
        """Return whether the row passes the conditions."""
        entry = self._entry
        return all(
            _listed(self.text(name), allowed) for name, allowed in entry.where.items()
        ) and not any(_listed(self.text(name), refused) for name, refused in entry.without.items())

    def part(self) -> str:
        """Return what tells the row from others of its name."""
        return self.text(self._entry.part) if self._entry.part else self.index

    def labels(self) -> dict[str, str] | None:
        """Return the labels of the sample, or None where there is no word for one."""
        labels = {label: self._label(names) for label, names in self._entry.labels.items()}
        for label, words in self._entry.words.items():
            if labels[label] not in words:
                return None
            labels[label] = words[labels[label]]
        return labels

    def _label(self, names: tuple[str, ...]) -> str:
        """Return the first source that has text."""
        for name in names:
            text = " ".join(filter(None, (self.text(part) for part in name.split("+"))))
            if self._entry.strip:
                text = re.sub(self._entry.strip, "", text).strip()
            if text:
                return str(ipaddress.IPv6Address(text)) if EXPANDED.fullmatch(text) else text
        return ""

    def result(self) -> Number | None:
        """Return the value in base units, or None where the device does not tell it."""
        entry = self._entry
        if entry.present:
            told = (self._cell(name)[1] for name in entry.value)
            return 1 if any(value not in {None, b"", ""} for value in told) else None
        if entry.states:
            return self._state()
        value = next((n for name in entry.value if (n := self._valid(name)) is not None), None)
        if value is None:
            return None
        for names, sign in ((entry.plus, 1), (entry.minus, -1)):
            for name in names:
                operand = self._number(name)
                # What means "full" is no amount; a 0 is: nothing may be left of a pool.
                if operand is None or (operand and operand in entry.ignore):
                    return None
                value += sign * operand
        if (factor := self._factor()) is None:
            return None
        result: Number | None = value * factor
        if entry.formula:
            result = functions.FORMULAS[entry.formula](value * factor)
        return None if result is None else self._within(result)

    def _state(self) -> Number | None:
        """Return what the state counts as that the first column with a value tells."""
        told = ((self._valid(name), self.text(name)) for name in self._entry.value)
        number, text = next((pair for pair in told if pair[0] is not None or pair[1]), (None, ""))
        state = self._entry.states.get(text if number is None else str(int(number)))
        return None if state is None else STATES[state]

    def _valid(self, name: str) -> Number | None:
        number = self._number(name)
        return None if number in self._entry.ignore else number

    def _factor(self) -> Number | None:
        entry = self._entry
        factor: Number = 1 if entry.scale == 1 else entry.scale
        for name in entry.times:
            if (operand := self._valid(name)) is None:
                return None
            factor *= operand
        for name, base, zero in (
            (entry.sensor_scale, 1000.0, UNITS_SCALE),
            (entry.precision, 0.1, 0),
        ):
            if name:
                if (exponent := self._number(name)) is None or abs(exponent) > UNITS_SCALE * 2:
                    return None
                # Below 0 a precision counts accurate digits and moves no point (RFC 3433).
                factor *= base ** (exponent - zero if zero else max(exponent, 0))
        return factor

    def _within(self, value: Number) -> Number | None:
        entry = self._entry
        if entry.minimum is not None and value < entry.minimum:
            return None
        if entry.maximum is not None and value > entry.maximum:
            return None
        # Ten digits hide the dust of binary fractions: 0.1 * 3 is 0.3.
        return value if isinstance(value, int) else float(f"{value:.10g}")

    def _cell(self, name: str) -> tuple[str, values.Value]:
        column, _, fixed = name.partition(".")
        return column, self._cells.get(column, {}).get(fixed or self.index)

    def _number(self, name: str) -> Number | None:
        _, value = self._cell(name)
        if value is None:
            value = self.text(name)
        if isinstance(value, bytes | str) and (number := values.number(value)) is None:
            return self._spelled(values.text(value, "DisplayString"))
        number = values.number(value)
        if number is None or not math.isfinite(number):
            return None
        return number + 2**32 if number < 0 and self._entry.unsigned else number

    def _spelled(self, text: str) -> float | None:
        """Return the number in a text: all of it, or what `extract` finds."""
        if self._entry.extract:
            match = re.search(self._entry.extract, text)
            text = match[1] if match else ""
        text = text.strip()
        return float(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?", text) else None

    def text(self, name: str) -> str:
        """Return what a source says about this row: a literal, a column, a label, a function."""
        if name.startswith("="):
            return name[1:]
        if name.startswith("@"):
            return functions.LABELS[name[1:]](self)
        column, value = self._cell(name)
        if value is not None:
            return values.text(value, self._table.by_name[column].metric.type).strip()
        first = self._entry.value[0].partition(".")[0]
        row = self._rows[self._table.by_name[first].group].at(self.index)
        return row.labels.get(name, "").strip()

    def column(self, name: str) -> Mapping[str, values.Value]:
        """Return a column by its index; empty where the device has none of it."""
        return self._cells.get(name, {})


def _listed(text: str, patterns: tuple[str, ...]) -> bool:
    return any(re.search(p[1:], text) if p.startswith("~") else p == text for p in patterns)
