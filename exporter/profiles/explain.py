"""What each row of a module became and why: the readers of a scrape, listened to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from exporter.metrics import Number
from exporter.profiles import health
from exporter.profiles.health import Told
from exporter.profiles.reader import Reader, Sample
from exporter.profiles.rows import Answers, Observed, Rows
from exporter.profiles.schema import Health
from exporter.profiles.table import Cells, Table
from exporter.profiles.values import Value

NOT_NEEDED = "not needed: the device has told the family already"
NOTHING = "the device has none of the columns"
REPEATED = "another row tells of the same part"


@dataclass(frozen=True, slots=True)
class Source:
    """A value that was looked at: the metric or label it stands for, its OID, and what is there."""

    name: str
    oid: str
    value: Value


@dataclass(frozen=True, slots=True)
class Series:
    """One sample of a page."""

    family: str
    labels: dict[str, str]
    value: Number


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the device's table: what was looked at, and its samples or why it has none."""

    index: str
    sources: tuple[Source, ...]
    series: tuple[Series, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One `health` entry of a module: its rows, or why it was not looked at."""

    family: str
    value: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    reason: str = ""


def entries(table: Table, answers: Answers, given: Iterable[str] = ()) -> list[Entry]:
    """Return what every `health` entry made of a module's answers.

    `given` are the families that the device had already, so that fallbacks were not needed.
    """
    heard: list[Listening] = []

    def reading(*about: Any) -> Reader:
        heard.append(Listening(*about))
        return heard[-1]

    made = []
    for told in health.tell(table, answers, table.rows(answers), given, reading):
        made.append(_entry(told, heard))
        heard.clear()
    return made


def _entry(told: Told, heard: list["Listening"]) -> Entry:
    entry = told.entry
    if told.samples is None:
        return Entry(entry.family, entry.value, reason=NOT_NEEDED)
    kept = {id(sample) for sample in told.samples}
    rows = []
    for read in heard:
        series: tuple[Series, ...] = ()
        if read.made is not None and id(read.made) in kept:
            series = tuple(Series(*one) for one in health.series(entry, read.made))
        reason = "" if series else read.reason()
        rows.append(Row(read.index, tuple(read.sources), series, reason))
    return Entry(entry.family, entry.value, tuple(rows), "" if rows else NOTHING)


class Listening(Reader):
    """A reader that notes what it looks at and why it finds nothing."""

    def __init__(
        self, entry: Health, table: Table, cells: Cells, rows: list[Rows], index: str
    ) -> None:
        super().__init__(entry, table, cells, rows, index)
        self.sources: dict[Source, None] = {}
        self.made: Sample | None = None
        self._reasons: dict[str, None] = {}

    def reason(self) -> str:
        """Return why the row has no sample."""
        return REPEATED if self.made else "; ".join(self._reasons)

    def sample(self) -> Sample | None:
        """Return the sample of the row, or None where it has none."""
        self.made = super().sample()
        return self.made

    def _none(self, reason: str, *about: object) -> float | None:
        self._reasons[reason % about] = None
        return super()._none(reason, *about)

    def _cell(self, name: str) -> tuple[str, Value]:
        column, value = super()._cell(name)
        if column in self._table.by_name:
            _, _, fixed = name.partition(".")
            oid = f"{self._table.by_name[column].metric.oid}.{fixed or self.index}"
            self.sources[Source(column, oid, value)] = None
        return column, value

    def text(self, name: str) -> str:
        """Return what a source says about this row."""
        before = len(self.sources)
        text = super().text(name)
        if text and len(self.sources) == before:
            self.sources |= dict.fromkeys(self._looked_up(name))
        return text

    def _looked_up(self, label: str) -> Iterator[Source]:
        """Yield the value that a lookup took for a label of the row."""
        first = self.entry.value[0].partition(".")[0]
        rows = self._rows[self._table.by_name[first].group]
        observed = Observed(rows.answers)
        Rows(rows.key, observed).labels(self.index)
        for lookup in rows.key[1]:
            if lookup.labelname == label:
                for oid in observed.asked:
                    if oid.startswith(lookup.oid + "."):
                        yield Source(label, oid, rows.answers.get(oid))
