"""From objects of MIBs to a module in the format of snmp_exporter's snmp.yml."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from controlplane.errors import Invalid
from controlplane.mibs.library import Library, Mib, ObjectType
from controlplane.mibs.standard import Type
from controlplane.mibs.symbols import Missing, Symbols
from controlplane.mibs.types import TOLD, TYPES, Unusable, index, metric_type

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to compile: `lookups` pair an index with a column, `types` replace types.

    Indexes in `dropped` are no labels, for tables whose lookups name rows well enough.
    """

    module: str
    objects: tuple[str, ...]
    lookups: tuple[tuple[str, str], ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A module as YAML, and what was left out of it and why."""

    text: str
    notes: tuple[str, ...]


def compile(folders: Iterable[Path], wishes: Wishes) -> Compiled:  # noqa: A001 - the word for it
    """Return the module for some objects of the MIBs in some folders.

    Raises Invalid, which names every MIB that is missing.
    """
    _check(wishes)
    return _Compilation(Symbols(Library(folders)), wishes).run()


def _check(wishes: Wishes) -> None:
    if not NAME.fullmatch(wishes.module):
        raise Invalid(f"{wishes.module!r} is no name for a module")
    if not wishes.objects:
        raise Invalid("name at least one object")
    for name, kind in wishes.types.items():
        if kind not in TYPES:
            raise Invalid(f"{kind!r} is no type for {name}: {', '.join(sorted(TYPES))}")


@dataclass(slots=True)
class _Compilation:
    symbols: Symbols
    wishes: Wishes
    walk: set[str] = field(default_factory=set)
    get: set[str] = field(default_factory=set)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def run(self) -> Compiled:
        for name in self.wishes.objects:
            try:
                self._wanted(*self._found(name))
            except Missing as missing:
                self.missing[missing.mib] = missing.reason
        lookups = self._lookups()
        if self.missing:
            folders = ", ".join(map(str, self.symbols.library.folders))
            raise Invalid(f"missing in {folders}: {'; '.join(self.missing.values())}")
        labels = {label for label, _ in lookups}
        if unused := {*self.wishes.types, *labels} - self.used:
            raise Invalid(f"none of the objects has {', '.join(sorted(unused))}")
        for metric in self.metrics.values():
            self._look_up(metric, lookups)
        return Compiled(self._text(), tuple(self.notes))

    def _found(self, name: str) -> tuple[Mib, str]:
        """Return where an object is defined, written as `name` or `MIB::name`."""
        owner, _, symbol = name.rpartition("::")
        if owner:
            mib = self.symbols.mib(owner)
            if mib is None:
                raise Missing(owner, symbol, "you")
            if symbol not in mib.oids:
                raise Invalid(f"{owner} has no object {symbol}")
            return mib, symbol
        owners = self.symbols.library.defining(symbol)
        if not owners:
            folders = ", ".join(map(str, self.symbols.library.folders))
            raise Invalid(f"no MIB in {folders} defines {symbol}")
        if len(owners) > 1:
            choices = " or ".join(f"{mib}::{symbol}" for mib in owners)
            raise Invalid(f"{symbol} is in several MIBs: say {choices}")
        mib = self.symbols.mib(owners[0])
        assert mib is not None  # noqa: S101 - the library has just read it
        return mib, symbol

    def _wanted(self, mib: Mib, symbol: str) -> None:
        """Take in an object and everything below it in its MIB."""
        oid = self.symbols.oid(mib, symbol)
        known = mib.objects.get(symbol)
        if known and not known.is_table and not known.is_row and self._row(mib, oid) is None:
            self.get.add(f"{oid}.0")
        else:
            self.walk.add(oid)
        for place, found in self.symbols.places(mib).items():
            if place == oid or place.startswith(f"{oid}."):
                self._metric(mib, found, place)

    def _row(self, mib: Mib, oid: str) -> ObjectType | None:
        """Return the row that a column belongs to, or None for a scalar."""
        found = self.symbols.places(mib).get(oid.rpartition(".")[0])
        return found if found and found.is_row else None

    def _metric(self, mib: Mib, found: ObjectType, oid: str) -> None:
        if found.is_table or found.is_row or found.access in {"", "not-accessible"}:
            return
        if found.access == "accessible-for-notify":
            return
        try:
            row = self._row(mib, oid)
            kind = self.symbols.type(mib, found.syntax)
            metric: dict[str, Any] = {
                "name": found.name.replace("-", "_"),
                "oid": oid,
                "type": self._type(mib, found.name, kind, oid),
                "help": _help(found.description, oid),
            }
            if row:
                metric["indexes"] = list(self._indexes(mib, row))
            if kind.names:
                metric["enum_values"] = dict(sorted(kind.names.items()))
        except Missing as missing:
            self.missing[missing.mib] = missing.reason
        except Unusable as reason:
            self.notes.append(f"{mib.name}::{found.name} is left out: {reason}")
        else:
            self.metrics[oid] = metric

    def _type(self, mib: Mib, name: str, kind: Type, oid: str) -> str:
        if name in self.wishes.types:
            self.used.add(name)
            return self.wishes.types[name]
        for convention in kind.conventions:
            if convention in TOLD:
                return self._told(mib, convention, oid)
        return metric_type(kind)

    def _told(self, mib: Mib, convention: str, oid: str) -> str:
        table, _, last = oid.rpartition(".")
        before = self.symbols.places(mib).get(f"{table}.{int(last) - 1}")
        told = self.symbols.type(mib, before.syntax).conventions if before else ()
        return convention if TOLD[convention] in told else "OctetString"

    def _indexes(self, mib: Mib, row: ObjectType) -> Iterator[dict[str, Any]]:
        seen = 0
        while row.augments:
            mib, row = self.symbols.object(mib, row.augments)
            if (seen := seen + 1) > len(mib.objects):
                raise Invalid(f"{mib.name}: {row.name} augments itself")
        kinds = [(implied, name, self._index_type(mib, name)) for implied, name in row.index]
        position = 0
        while position < len(kinds):
            implied, name, kind = kinds[position]
            following = kinds[position + 1] if position + 1 < len(kinds) else None
            position += 1
            if following and _is_address(kind, following[2]):
                yield {"labelname": following[1].replace("-", "_"), "type": "InetAddress"}
                position += 1
            else:
                yield index(name, kind, implied=implied)

    def _index_type(self, mib: Mib, name: str) -> Type:
        owner, found = self.symbols.object(mib, name)
        return self.symbols.type(owner, found.syntax)

    def _lookups(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the lookups by the label of their index; what they need is walked, too."""
        lookups: list[tuple[str, dict[str, Any]]] = []
        for label, name in self.wishes.lookups:
            try:
                mib, symbol = self._found(name)
                oid = self.symbols.oid(mib, symbol)
                _, found = self.symbols.object(mib, symbol)
                kind = self._type(mib, symbol, self.symbols.type(mib, found.syntax), oid)
            except Missing as missing:
                self.missing[missing.mib] = missing.reason
                continue
            self.walk.add(oid)
            lookup: dict[str, Any] = {
                "labels": [label],
                "labelname": symbol,
                "oid": oid,
                "type": kind,
            }
            lookups.append((label, lookup))
        lookups += [(label, {"labels": [], "labelname": label}) for label in self.wishes.dropped]
        self.used |= {part["labelname"] for m in self.metrics.values() for part in _of(m)}
        return lookups

    def _look_up(
        self, metric: dict[str, Any], lookups: Sequence[tuple[str, dict[str, Any]]]
    ) -> None:
        labels = {part["labelname"] for part in _of(metric)}
        if found := [lookup for label, lookup in lookups if label in labels]:
            metric["lookups"] = found

    def _text(self) -> str:
        module: dict[str, Any] = {}
        if walk := [oid for oid in self.walk if not _covered(oid, self.walk)]:
            module["walk"] = sorted(walk, key=_arcs)
        get = [oid for oid in self.get if not any(oid.startswith(f"{top}.") for top in self.walk)]
        if get:
            module["get"] = sorted(get, key=_arcs)
        module["metrics"] = [self.metrics[oid] for oid in sorted(self.metrics, key=_arcs)]
        document = {"modules": {self.wishes.module: module}}
        return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)


class _Plain(yaml.SafeDumper):
    """Writes what is there twice twice: a module is for people to edit."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of PyYAML
        return True


def _is_address(kind: Type, following: Type) -> bool:
    """Return whether an index tells of which type the address is that follows it."""
    return TOLD["InetAddress"] in kind.conventions and "InetAddress" in following.conventions


def _of(metric: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = metric.get("indexes", [])
    return found


def _help(description: str, oid: str) -> str:
    """Return the first sentence and the OID, as snmp_exporter's generator writes it."""
    return f"{' '.join(description.split()).split('. ')[0]} - {oid}"


def _covered(oid: str, others: Iterable[str]) -> bool:
    return any(oid.startswith(f"{other}.") for other in others)


def _arcs(oid: str) -> list[int]:
    return [int(arc) for arc in oid.split(".")]
