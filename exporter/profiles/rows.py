"""The labels of a row: its index in words, and what other columns say about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.metrics import label_block
from exporter.profiles import values
from exporter.profiles.schema import Index, Lookup
from exporter.profiles.values import Value

Answers = Mapping[str, Value]
"""What a device returned, by dotted OID, in the order of its answers."""

Key = tuple[tuple[Index, ...], tuple[Lookup, ...]]
"""What makes two columns share their labels."""


@dataclass(slots=True)
class Row:
    """The labels of one row, and the block they render to."""

    labels: dict[str, str]
    block: str


@dataclass(slots=True)
class Rows:
    """Rows of all columns with the same indexes and lookups; each is rendered once."""

    key: Key
    answers: Answers
    known: dict[str, Row] = field(default_factory=dict)

    def at(self, index: str) -> Row:
        """Return the row at a dotted index."""
        if (row := self.known.get(index)) is None:
            labels = self._labels(index)
            row = self.known[index] = Row(labels, label_block(labels))
        return row

    def _labels(self, index: str) -> dict[str, str]:
        labels: dict[str, str] = {}
        suffixes: dict[str, str] = {}
        rest: values.Arcs = values.arcs(index)
        indexes, lookups = self.key
        for part in indexes:
            shown, used, rest = values.index(
                rest, part.type, part.fixed_size, part.implied, part.enum_values
            )
            labels[part.labelname] = shown
            suffixes[part.labelname] = ".".join(map(str, used))
        for lookup in lookups:
            self._look_up(lookup, labels, suffixes)
        return labels

    def _look_up(self, lookup: Lookup, labels: dict[str, str], suffixes: dict[str, str]) -> None:
        if not lookup.labels:
            labels.pop(lookup.labelname, None)
            return
        suffix = ".".join(suffixes.get(label, "") for label in lookup.labels)
        value = self.answers.get(f"{lookup.oid}.{suffix}")
        kind = told_type(lookup.type, lookup.oid, suffix, self.answers) or lookup.type
        labels[lookup.labelname] = values.text(value, kind)
        if value is not None:
            # A chained lookup takes this value as its index.
            suffixes[lookup.labelname] = str(value if isinstance(value, int) else 0)


def told_type(kind: str, oid: str, suffix: str, answers: Answers) -> str | None:
    """Return the real type of an address or id, which the column before it tells."""
    if kind not in values.COMBINED:
        return None
    column, _, last = oid.rpartition(".")
    told = answers.get(f"{column}.{int(last) - 1}.{suffix}")
    return values.COMBINED[kind].get(told) if isinstance(told, int) else None
