"""The labels of rows: an index in words, and what other columns say about it."""

import marshal
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from exporter.metrics import escaped, label_pair
from exporter.profiles import values
from exporter.profiles.schema import Index, Lookup
from exporter.profiles.values import Value

Answers = Mapping[str, Value]
"""What a device returned, by dotted OID, in the order of its answers."""

Key = tuple[tuple[Index, ...], tuple[Lookup, ...]]
"""What makes two columns share their labels."""


class Answering(Protocol):
    """Whatever tells the value at an OID."""

    def get(self, oid: str, /) -> Value:
        """Return the value, None where there is none."""


@dataclass(slots=True)
class Rows:
    """Rows of all columns with the same indexes and lookups; each is worked out once."""

    key: Key
    answers: Answering
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def at(self, index: str) -> dict[str, str]:
        """Return the labels of the row at a dotted index; they are not to be changed."""
        if (labels := self.known.get(index)) is None:
            labels = self.known[index] = self.labels(index)
        return labels

    def labels(self, index: str) -> dict[str, str]:
        """Return the labels of the row at a dotted index."""
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
        labels[lookup.labelname] = values.text(value, kind, lookup.display_hint)
        if value is not None:
            # A chained lookup takes this value as its index.
            suffixes[lookup.labelname] = str(value if isinstance(value, int) else 0)


def told_type(kind: str, oid: str, suffix: str, answers: Answering) -> str | None:
    """Return the real type of an address or id, which the column before it tells."""
    if kind not in values.COMBINED:
        return None
    column, _, last = oid.rpartition(".")
    told = answers.get(f"{column}.{int(last) - 1}.{suffix}")
    return values.COMBINED[kind].get(told) if isinstance(told, int) else None


def label_names(key: Key) -> list[str]:
    """Return the names of the labels that every row of a key has, sorted."""
    names = {part.labelname for part in key[0]}
    for lookup in key[1]:
        if lookup.labels:
            names.add(lookup.labelname)
        else:
            names.discard(lookup.labelname)
    return sorted(names)


@dataclass(slots=True)
class Observed:
    """Answers that remember which of them were asked for."""

    answers: Answering
    asked: list[str] = field(default_factory=list)

    def get(self, oid: str, /) -> Value:
        """Return the value, None where there is none."""
        self.asked.append(oid)
        return self.answers.get(oid)


@dataclass(frozen=True, slots=True)
class Labels:
    """The rendered labels of many rows, good as long as the values at `read` stay the same."""

    names: list[str]
    blocks: list[str]
    cuts: dict[int, list[int]]
    """For places in the order of the names: where in each block one more label goes in."""
    distinct: bool
    read: "array[int]"
    digest: int

    def current(self, found: Sequence[Value]) -> bool:
        """Return whether the values that the labels were made of are still the same."""
        return _digest(self.read, found) == self.digest

    def weight(self) -> int:
        """Return about how many bytes of memory this takes."""
        return 64 * len(self.blocks) + sum(map(len, self.blocks)) + 4 * len(self.read)

    def extended(self, name: str, rows: Sequence[int], texts: Sequence[str]) -> list[str]:
        """Return the blocks of some rows with one more label, whose values are `texts`.

        A label that the rows have already stays as it is.
        """
        blocks, place = self.blocks, bisect_left(self.names, name)
        if place < len(self.names) and self.names[place] == name:
            return [blocks[row] for row in rows]
        pairs = zip(rows, escaped(texts), strict=True)
        if not self.names:
            return [f'{{{name}="{text}"}}' for _, text in pairs]
        if place == 0:
            return [f'{{{name}="{text}",{blocks[row][1:]}' for row, text in pairs]
        cuts = self.cuts[place]
        return [
            f'{blocks[row][: cuts[row]]},{name}="{text}"{blocks[row][cuts[row] :]}'
            for row, text in pairs
        ]


def rendered(
    key: Key,
    indexes: Sequence[str],
    answers: Answers,
    found: Sequence[Value],
    added: Sequence[str],
) -> Labels:
    """Return the labels of rows; `added` are names of labels that a metric will add to them."""
    observed = Observed(answers)
    rows, names = Rows(key, observed), label_names(key)
    cuts: dict[int, list[int]] = {
        place: [] for name in added if (place := bisect_left(names, name))
    }
    blocks = []
    for index in indexes:
        labels = rows.labels(index)
        pairs = [label_pair(name, labels[name]) for name in names]
        blocks.append("{" + ",".join(pairs) + "}" if pairs else "")
        for place, cut in cuts.items():
            cut.append(len(",".join(pairs[:place])) + 1)
    place_of = {oid: place for place, oid in enumerate(answers)}
    read = array("I", [place_of[oid] for oid in observed.asked if oid in place_of])
    distinct = len(set(blocks)) == len(blocks)
    return Labels(names, blocks, cuts, distinct, read, _digest(read, found))


def _digest(read: "array[int]", found: Sequence[Value]) -> int:
    # Of the octets, for numbers may share a hash: those of -1 and -2 are the same. Version 2 of the
    # format knows no references, so that equal values are always written alike.
    return hash(marshal.dumps([found[place] for place in read], 2))
