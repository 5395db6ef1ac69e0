"""Columns into the `chm_*` vocabulary, as the `health` entries of a module say."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from exporter.metrics import Family, Number, family
from exporter.profiles.conditions import Conditions
from exporter.profiles.reader import STATES, Known, Reader, Sample
from exporter.profiles.rows import Answers, Rows
from exporter.profiles.schema import Health
from exporter.profiles.table import Cells, Table


@dataclass(frozen=True, slots=True)
class Told:
    """What one entry made of the answers; None where it is a fallback that nobody needed."""

    entry: Health
    samples: Sequence[Sample] | None


def families(table: Table, answers: Answers, rows: list[Rows], given: set[str]) -> list[Family]:
    """Return the normalised families of a module; `given` are those the device has already."""
    out: list[Family] = []
    # Most devices lack most tables, and a module of its MIB's own names has nothing to tell here.
    if not (answers and table.module.health):
        return out
    for told in tell(table, answers, rows, given):
        made: dict[str, Family] = {}
        for sample in told.samples or ():
            for name, labels, number in series(told.entry, sample):
                if name not in made:
                    made[name] = family(name)
                made[name].add(number, labels)
        out += made.values()
    return out


def tell(
    table: Table,
    answers: Answers,
    rows: list[Rows],
    given: Iterable[str],
    reading: Callable[..., Reader] | None = None,
) -> Iterator[Told]:
    """Yield what each entry of a module makes of the answers, row by row.

    Rows are read one after the other by one reader of their entry, unless `reading` makes one for
    each, to be asked about it later.
    """
    cells, have, seen = table.cells(answers), set(given), set[tuple[str, ...]]()
    conditions, known = Conditions(), Known()
    for entry in table.module.health:
        if entry.fallback and entry.family in have:
            yield Told(entry, None)
            continue
        about, indexes = (entry, table, cells, rows), _indexes(entry, cells)
        reader = Reader(*about, known=known)
        taken = conditions.taken(reader, indexes)
        if reading is None:
            kept = conditions.kept(reader, taken)
            found = [sample for reader.index in kept if (sample := reader.read()) is not None]
        else:
            readers = [reading(*about, index) for index in indexes]
            found = [sample for each in readers if (sample := each.sample()) is not None]
        crowded = _crowded(reader, taken) if len(found) < len(taken) else set()
        samples = _apart(found, crowded)
        # What one entry has told, no other of the module tells again.
        samples = [s for s in samples if (entry.family, *s[1].values()) not in seen]
        seen.update((entry.family, *labels.values()) for _, labels, _ in samples)
        if samples:
            have.add(entry.family)
        yield Told(entry, samples)


def series(entry: Health, sample: Sample) -> Iterator[tuple[str, dict[str, str], Number]]:
    """Yield the family, labels and value of a sample, and of whether its part is degraded."""
    _, labels, number = sample
    yield entry.family, labels, math.ceil(number) if entry.states else number
    if "degraded" in entry.states.values():
        (kind, component), *_ = labels.items()
        degraded = int(number == STATES["degraded"])
        yield "chm_component_degraded", {"kind": kind, "component": component}, degraded


def _crowded(reader: Reader, taken: Iterable[str]) -> set[tuple[str, ...]]:
    """Return the names that several parts have, also those that tell nothing just now.

    A part keeps its name when another one fails, comes back, or is plugged in.
    """
    parts: dict[tuple[str, ...], set[str]] = {}
    for reader.index in taken:
        if (labels := reader.labels()) is not None:
            parts.setdefault(tuple(labels.values()), set()).add(reader.part())
    return {name for name, of in parts.items() if len(of) > 1}


def _apart(samples: list[Sample], crowded: Collection[tuple[str, ...]]) -> list[Sample]:
    """Return each part once; other parts of the same name have their index added to it.

    A part of which two rows tell different things is left out: one of them is wrong.
    """
    alike: dict[tuple[str, ...], dict[str, list[Sample]]] = {}
    for sample in samples:
        parts = alike.setdefault(tuple(sample[1].values()), {})
        parts.setdefault(sample[0], []).append(sample)
    kept = []
    for name, parts in alike.items():
        for index, told in parts.items():
            _, labels, number = told[0]
            if labels and (len(parts) > 1 or name in crowded):
                first = next(iter(labels))
                labels[first] = f"{labels[first]} {index}".strip()
            if all(other == number for _, _, other in told):
                kept.append(told[0])
    return kept


def _indexes(entry: Health, cells: Cells) -> Iterable[str]:
    """Return the rows that have any of the value columns, each once, in the device's order."""
    found: dict[str, None] = {}
    for name in entry.value:
        column, _, fixed = name.partition(".")
        found.update(dict.fromkeys([fixed] if fixed else cells.get(column, ())))
    return found
