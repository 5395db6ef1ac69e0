"""Answers into series: a module's columns, found by OID and turned into families."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from exporter.metrics import Family
from exporter.profiles import rows, series, values
from exporter.profiles.layout import Layout, Memory, Part, Remembered
from exporter.profiles.rows import Answers, Key, Labels, Rows
from exporter.profiles.schema import Metric, Module
from exporter.profiles.series import Run
from exporter.profiles.values import Value

Cells = Mapping[str, Mapping[str, Value]]
"""Values by name of the metric and dotted index."""


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of a module; `group` says with which columns it shares its rows."""

    metric: Metric
    prefix: str
    group: int


class Table:
    """A module made ready to be applied to answers; `memory` may be shared with other modules.

    Numbers are taken modulo `wrap`, unless that is 0.
    """

    def __init__(
        self, module: Module, memory: Memory | None = None, wrap: int = values.WRAP
    ) -> None:
        self.module = module
        self.wrap = wrap
        self.groups: list[Key] = []
        self.added: list[list[str]] = []
        """For each group the labels that its metrics add to those of the row."""
        self.columns = {metric.oid: self._column(metric) for metric in module.metrics}
        self.tables = frozenset(oid for oid in module.walk if _holds_rows(oid, module))
        """What is walked and known to be a table or a column, not the instance of an object."""
        self.by_name = {column.metric.name: column for column in self.columns.values()}
        self._depths = sorted({oid.count(".") + 1 for oid in self.columns})
        self._memory = memory or Memory()
        # What is remembered is told by this, not by the table: with a way back from the memory to
        # its tables, a configuration that was replaced would be a circle, and stay.
        self.mark = object()
        self._layouts: WeakValueDictionary[tuple[int, int], Layout] = WeakValueDictionary()

    def _column(self, metric: Metric) -> Column:
        key = (metric.indexes, metric.lookups)
        if key not in self.groups:
            self.groups.append(key)
            self.added.append([])
        group = self.groups.index(key)
        if metric.type not in series.NUMBERS:
            self.added[group].append(metric.name)
        return Column(metric, metric.oid + ".", group)

    def rows(self, answers: Answers) -> list[Rows]:
        """Return the rows of every group of columns."""
        return [Rows(key, answers) for key in self.groups]

    def families(self, answers: Answers, device: str = "") -> list[Family]:
        """Return the series of the module's metrics, as snmp_exporter would name them.

        What is learnt of a named device makes its next scrape cheaper.
        """
        layout, found = self.layout(answers), list(answers.values())
        labels = self._labels(device, layout, answers, found)
        out: list[Family] = []
        for part in layout.parts:
            known = labels[part.column.group, part.rows]
            metric, indexes = part.column.metric, layout.indexes[part.rows]
            run = Run(metric, known, indexes, found[part.start : part.stop], self.wrap)
            out += series.families(run, answers)
        return [family for family in out if family.blocks]

    def _labels(
        self, device: str, layout: Layout, answers: Answers, found: list[Value]
    ) -> dict[tuple[int, int], Labels]:
        """Return the labels of all rows: the remembered ones where they are still true."""
        kept = self._memory.get((self.mark, device)) if device else None
        old = kept.labels if kept and kept.layout is layout else {}
        labels = {}
        for group, at in layout.groups:
            known = old.get((group, at))
            if known is None or not known.current(found):
                known = rows.rendered(
                    self.groups[group], layout.indexes[at], answers, found, self.added[group]
                )
            labels[group, at] = known
        if device and labels != old:
            self._memory.put((self.mark, device), Remembered(layout, labels))
        return labels

    def cells(self, answers: Answers) -> Cells:
        """Return the raw values by metric and index."""
        found = list(answers.values())
        cells: dict[str, dict[str, Value]] = defaultdict(dict)
        # Read anew, without a layout: nobody keeps those of modules that only health is told from.
        for column, start, indexes in self._runs(answers):
            held = found[start : start + len(indexes)]
            cells[column.metric.name].update(zip(indexes, held, strict=True))
        return cells

    def layout(self, answers: Answers) -> Layout:
        """Return what the OIDs of answers mean, in their order."""
        # Strings hash with a key of this process: no device can make its order look like another.
        # Each has its hash already, as a key of the answers.
        signature = hash(tuple(answers)), len(answers)
        if (layout := self._layouts.get(signature)) is None:
            layout = self._layouts[signature] = self._read(answers)
        return layout

    def _read(self, answers: Answers) -> Layout:
        shared: dict[tuple[str, ...], int] = {}
        parts = []
        for column, start, indexes in self._runs(answers):
            at = shared.setdefault(tuple(indexes), len(shared))
            parts.append(Part(column, start, start + len(indexes), at))
        groups = dict.fromkeys((part.column.group, part.rows) for part in parts)
        return Layout(tuple(parts), tuple(shared), tuple(groups))

    def _runs(self, answers: Answers) -> Iterator[tuple[Column, int, list[str]]]:
        """Yield each column with the place of its first answer and the indexes of all of them."""
        column: Column | None = None
        indexes: list[str] = []
        prefix, start, place = "\0", 0, 0
        for place, oid in enumerate(answers):
            if not oid.startswith(prefix):
                if column is not None:
                    yield column, place - len(indexes), indexes
                column, indexes = self.find(oid), []
                prefix = self._strange(oid) if column is None else column.prefix
                start = len(prefix)
            if column is not None:
                indexes.append(oid[start:])
        if column is not None:
            yield column, place + 1 - len(indexes), indexes

    def _strange(self, oid: str) -> str:
        """Return what the OIDs around one that is in no column begin with: they are in none, too.

        Columns that only lookups read are passed over by it.
        """
        parent = oid.rpartition(".")[0] + "."
        return "\0" if any(known.startswith(parent) for known in self.columns) else parent

    def find(self, oid: str) -> Column | None:
        """Return the column whose OID is a prefix of `oid`; the shortest wins."""
        parts = oid.split(".")
        for depth in self._depths:
            if (column := self.columns.get(".".join(parts[:depth]))) is not None:
                return column
        return None


def _holds_rows(walked: str, module: Module) -> bool:
    """Return whether all that a module knows at or below an OID are columns, and it knows some."""
    below = walked + "."
    objects = [metric for metric in module.metrics if f"{metric.oid}.".startswith(below)]
    looked_up = (
        lookup.labels
        for metric in module.metrics
        for lookup in metric.lookups
        if f"{lookup.oid}.".startswith(below)
    )
    indexed = [*(metric.indexes for metric in objects), *looked_up]
    return bool(indexed) and all(indexed)
