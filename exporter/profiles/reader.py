"""One row of a table as one `health` entry reads it."""

import ipaddress
import math
import re
from collections.abc import Mapping

from exporter import patterns
from exporter.metrics import Number
from exporter.profiles import functions, values
from exporter.profiles.rows import Rows
from exporter.profiles.schema import Health, State
from exporter.profiles.table import Cells, Table

# Above 0 is up.
STATES: dict[State, Number] = {"up": 1, "degraded": 0.5, "down": 0}
UNITS_SCALE = 9  # SensorDataScale `units` of ENTITY-SENSOR-MIB; each step is a factor of 1000

EXPANDED = re.compile("([0-9A-F]{4}:){7}[0-9A-F]{4}")  # how snmp_exporter writes IPv6

Sample = tuple[str, dict[str, str], Number]
"""What tells a row apart (its index, mostly), the labels of its sample, and the value."""

Known = dict[tuple[int, tuple[str, ...], str], dict[str, str]]
"""What rows are called, by index, for each group of columns, sources, and what is stripped."""


class Reader:
    """One row of a table as one `health` entry reads it; it can be moved on to another `index`.

    Entries of one module that share what they `known` call a row by a name worked out once.
    """

    def __init__(
        self,
        entry: Health,
        table: Table,
        cells: Cells,
        rows: list[Rows],
        index: str = "",
        *,
        known: Known | None = None,
    ) -> None:
        self.entry, self._table, self._cells, self._rows = entry, table, cells, rows
        self.index = index
        self.group = table.by_name[entry.value[0].partition(".")[0]].group
        known = {} if known is None else known
        self._known = {
            label: known.setdefault((self.group, names, entry.strip), {})
            for label, names in entry.labels.items()
        }
        self._summands = [(name, 1) for name in entry.plus] + [(name, -1) for name in entry.minus]
        powers = (entry.sensor_scale, 1000.0, UNITS_SCALE), (entry.precision, 0.1, 0)
        self._powers = [power for power in powers if power[0]]

    def sample(self) -> Sample | None:
        """Return the sample of the row, or None where it has none."""
        return self.read() if self.wanted() else None

    def read(self) -> Sample | None:
        """Return the sample of a row that passes the conditions, or None where it has none."""
        if (number := self.result()) is None:
            return None
        labels = self.labels()
        return None if labels is None else (self.part(), labels, number)

    def wanted(self) -> bool:
        """Return whether the row passes the conditions."""
        for name, allowed in self.entry.where.items():
            if not listed(text := self.text(name), allowed):
                self._none("not wanted, as %s is %r", name, text)
                return False
        for name, refused in self.entry.without.items():
            if listed(text := self.text(name), refused):
                self._none("not wanted, as %s is %r", name, text)
                return False
        return True

    def part(self) -> str:
        """Return what tells the row from others of its name."""
        return self.text(self.entry.part) if self.entry.part else self.index

    def labels(self) -> dict[str, str] | None:
        """Return the labels of the sample, or None where there is no word for one."""
        labels = {label: self._label(label) for label in self.entry.labels}
        for label, words in self.entry.words.items():
            if labels[label] not in words:
                self._none("there is no word for %r", labels[label])
                return None
            labels[label] = words[labels[label]]
        return labels

    def _label(self, label: str) -> str:
        known = self._known[label]
        if (text := known.get(self.index)) is None:
            text = known[self.index] = self._first(self.entry.labels[label])
        return text

    def _first(self, names: tuple[str, ...]) -> str:
        """Return the first source that has text."""
        for name in names:
            text = self.text(name) if "+" not in name else self._joined(name)
            if self.entry.strip:
                text = patterns.without(self.entry.strip, text).strip()
            if text:
                return str(ipaddress.IPv6Address(text)) if EXPANDED.fullmatch(text) else text
        return ""

    def _joined(self, name: str) -> str:
        return " ".join(filter(None, (self.text(part) for part in name.split("+"))))

    def result(self) -> Number | None:
        """Return the value in base units, or None where the device does not tell it."""
        if self.entry.present:
            told = (self._cell(name)[1] for name in self.entry.value)
            there = any(value not in {None, b"", ""} for value in told)
            return 1 if there else self._none("%s is empty", self.entry.value[0])
        if self.entry.states:
            return self._state()
        if (amount := self._amount()) is None or (factor := self._factor()) is None:
            return None
        return self._within(amount * factor)

    def _amount(self) -> Number | None:
        """Return the first value there is, with what is to be added and taken away."""
        entry = self.entry
        for name in entry.value:
            if (value := self._valid(name)) is not None:
                break
        else:
            return None
        for name, sign in self._summands:
            if (operand := self._number(name)) is None:
                return None
            # What means "full" is no amount; a 0 is: nothing may be left of a pool.
            if operand and operand in entry.ignore:
                return self._none("%s of %s means no value", operand, name)
            value += sign * operand
        return value

    def _state(self) -> Number | None:
        """Return what the state counts as that the first column with a value tells."""
        told = ((self._valid(name), self.text(name)) for name in self.entry.value)
        number, text = next((pair for pair in told if pair[0] is not None or pair[1]), (None, ""))
        state = self.entry.states.get(text if number is None else str(int(number)))
        if state is None and (number is not None or text):
            return self._none("no state for %s", text if number is None else number)
        return None if state is None else STATES[state]

    def _none(self, _reason: str, *_about: object) -> float | None:
        """Return None; those who listen hear why there is no value."""
        return None

    def _valid(self, name: str) -> Number | None:
        number = self._number(name)
        if number is not None and number in self.entry.ignore:
            return self._none("%s of %s means no value", number, name)
        return number

    def _factor(self) -> Number | None:
        entry = self.entry
        factor: Number = int(entry.scale) if entry.scale.is_integer() else entry.scale
        for name in entry.times:
            if (operand := self._valid(name)) is None:
                return None
            factor *= operand
        for name, base, zero in self._powers:
            if (exponent := self._number(name)) is None:
                return None
            if abs(exponent) > UNITS_SCALE * 2:
                return self._none("%s of %s is absurd", exponent, name)
            # Below 0 a precision counts accurate digits and moves no point (RFC 3433).
            factor *= base ** (exponent - zero if zero else max(exponent, 0))
        return factor

    def _within(self, raw: Number) -> Number | None:
        """Return a result after its formula, where it is in range."""
        entry = self.entry
        value = functions.FORMULAS[entry.formula](raw) if entry.formula else raw
        if value is None:
            return self._none("%s has no %s", raw, entry.formula)
        if entry.minimum is not None and value < entry.minimum:
            return self._none("%s is below %s", value, entry.minimum)
        if entry.maximum is not None and value > entry.maximum:
            return self._none("%s is above %s", value, entry.maximum)
        # Ten digits hide the dust of binary fractions: 0.1 * 3 is 0.3.
        return value if isinstance(value, int) else float(f"{value:.10g}")

    def _cell(self, name: str) -> tuple[str, values.Value]:
        if (column := self._cells.get(name)) is not None:
            return name, column.get(self.index)
        first, _, fixed = name.partition(".")
        return first, self._cells.get(first, {}).get(fixed or self.index)

    def _number(self, name: str) -> Number | None:
        _, value = self._cell(name)
        if type(value) is int and 0 <= value < values.WRAP:
            return value  # as nearly all are
        if value is None and not (value := self.text(name)):
            return self._none("%s has no value", name)
        if isinstance(value, bytes | str) and (number := values.number(value)) is None:
            return self._spelled(name, values.text(value, "DisplayString"))
        number = values.number(value)
        if number is None or not math.isfinite(number):
            return self._none("%s has no value", name)
        return number + 2**32 if number < 0 and self.entry.unsigned else number

    def _spelled(self, name: str, text: str) -> float | None:
        """Return the number in a text: all of it, or what `extract` finds."""
        found = text
        if self.entry.extract:
            match = patterns.search(self.entry.extract, text)
            found = (match[1] or "") if match else ""
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?", found := found.strip()):
            return self._none("%s is %r, which holds no number", name, text)
        return float(found)

    def text(self, name: str) -> str:
        """Return what a source says about this row: a literal, a column, a label, a function."""
        if name.startswith("="):
            return name[1:]
        if name.startswith("@"):
            return functions.LABELS[name[1:]](self)
        column, value = self._cell(name)
        if value is not None:
            return values.text(value, self._table.by_name[column].metric.type).strip()
        return self._rows[self.group].at(self.index).get(name, "").strip()

    def column(self, name: str) -> Mapping[str, values.Value]:
        """Return a column by its index; empty where the device has none of it."""
        return self._cells.get(name, {})


def listed(text: str, allowed: tuple[str, ...]) -> bool:
    """Return whether a text is one of these, or `~regex` finds something in it."""
    if text in allowed:
        return True
    for one in allowed:  # noqa: SIM110 - asked of every row, and a generator costs as much again
        if one.startswith("~") and patterns.search(one[1:], text):
            return True
    return False
