"""Columns into the `chm_*` vocabulary, as the `health` entries of a module say."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from exporter.metrics import Family, Number, family
from exporter.profiles import values
from exporter.profiles.rows import Answers, Rows
from exporter.profiles.schema import Health, State
from exporter.profiles.table import Cells, Table

# Above 0 is up.
STATES: dict[State, Number] = {"up": 1, "degraded": 0.5, "down": 0}
UNITS_SCALE = 9  # SensorDataScale `units` of ENTITY-SENSOR-MIB; each step is a factor of 1000

Sample = tuple[str, dict[str, str], Number]
"""The index of a row, the labels of its sample, and the value."""


def families(table: Table, answers: Answers, rows: list[Rows], given: set[str]) -> list[Family]:
    """Return the normalised families of a module; `given` are those the device has already."""
    cells = table.cells(answers)
    out: list[Family] = []
    for entry in table.module.health:
        if entry.fallback and (entry.family in given or any(f.name == entry.family for f in out)):
            continue
        samples = list(_samples(entry, table, cells, rows))
        if samples:
            _tell_apart(samples)
            out += _told(entry, samples)
    return out


def _tell_apart(samples: list[Sample]) -> None:
    """Give rows of the same name different labels: their index is added."""
    times = Counter(tuple(labels.items()) for _, labels, _ in samples)
    for index, labels, _ in samples:
        if labels and times[tuple(labels.items())] > 1:
            last = list(labels)[-1]
            labels[last] = f"{labels[last]} {index}".strip()


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
        if read.wanted() and (number := read.result()) is not None:
            yield index, read.labels(), number


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
        self._index = index

    def wanted(self) -> bool:
        """Return whether the row passes the conditions."""
        entry = self._entry
        return all(
            self._text(name) in allowed for name, allowed in entry.where.items()
        ) and not any(self._text(name) in refused for name, refused in entry.without.items())

    def labels(self) -> dict[str, str]:
        """Return the labels of the sample: for each the first source that has text."""
        return {
            label: next((text for name in names if (text := self._text(name))), "")
            for label, names in self._entry.labels.items()
        }

    def result(self) -> Number | None:
        """Return the value in base units, or None where the device does not tell it."""
        entry = self._entry
        value = next((n for name in entry.value if (n := self._valid(name)) is not None), None)
        if value is None:
            return None
        if entry.states:
            state = entry.states.get(int(value))
            return None if state is None else STATES[state]
        for names, sign in ((entry.plus, 1), (entry.minus, -1)):
            for name in names:
                operand = self._number(name)
                # What means "full" is no amount; a 0 is: nothing may be left of a pool.
                if operand is None or (operand and operand in entry.ignore):
                    return None
                value += sign * operand
        factor = self._factor()
        return None if factor is None else self._within(value * factor)

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
        return column, self._cells.get(column, {}).get(fixed or self._index)

    def _number(self, name: str) -> Number | None:
        _, value = self._cell(name)
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

    def _text(self, name: str) -> str:
        """Return what a name says about this row: a literal, a column's value, or a label."""
        if name.startswith("="):
            return name[1:]
        column, value = self._cell(name)
        if value is not None:
            return values.text(value, self._table.by_name[column].metric.type).strip()
        first = self._entry.value[0].partition(".")[0]
        row = self._rows[self._table.by_name[first].group].at(self._index)
        return row.labels.get(name, "").strip()
