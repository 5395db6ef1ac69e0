"""Names into OIDs and types, across MIBs; what cannot be found is one missing MIB, by name."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from controlplane.errors import Invalid
from controlplane.mibs import standard
from controlplane.mibs.library import Library, Mib, ObjectType
from controlplane.mibs.standard import Type

DEEPEST = 64  # steps from a symbol to its root; more is a circle

# The names that SMIv1 has for types of SMIv2, and spellings of one and the same.
SAME = {
    "Counter": "Counter32",
    "Gauge": "Gauge32",
    "Integer32": "INTEGER",
    "NetworkAddress": "IpAddress",
    "UInteger32": "Unsigned32",
}


class Missing(Exception):
    """A MIB that is needed is in none of the folders."""

    def __init__(self, mib: str, symbol: str, needed_by: str) -> None:
        super().__init__(mib, symbol, needed_by)
        self.mib = mib
        self.reason = f"{mib} ({needed_by} takes {symbol} from it)"


@dataclass(slots=True)
class Symbols:
    """Everything that the MIBs of a library say, looked up when it is needed."""

    library: Library
    _oids: dict[tuple[str, str], str] = field(default_factory=dict)
    _mibs: dict[str, Mib | None] = field(default_factory=dict)
    _places: dict[str, dict[str, ObjectType]] = field(default_factory=dict)

    def mib(self, name: str) -> Mib | None:
        """Return a MIB module, or None where no file has it."""
        if name not in self._mibs:
            self._mibs[name] = self.library.mib(name)
        return self._mibs[name]

    def oid(self, mib: Mib, symbol: str, depth: int = 0) -> str:
        """Return the dotted OID of a symbol as a MIB knows it."""
        key = mib.name, symbol
        if key not in self._oids:
            self._oids[key] = self._oid(mib, symbol, depth)
        return self._oids[key]

    def _oid(self, mib: Mib, symbol: str, depth: int) -> str:
        if depth > DEEPEST:
            raise Invalid(f"{mib.name}: {symbol} is defined in terms of itself")
        if symbol not in mib.oids:
            if symbol in standard.ROOTS:
                return standard.ROOTS[symbol]
            return self.oid(self._origin(mib, symbol), symbol, depth + 1)
        first, *rest = mib.oids[symbol]
        arcs = [str(step[1] if isinstance(step, tuple) else step) for step in rest]
        if isinstance(first, tuple):
            first = first[0] if first[0] in standard.ROOTS else first[1]
        start = str(first) if isinstance(first, int) else self.oid(mib, first, depth + 1)
        return ".".join([start, *arcs])

    def _origin(self, mib: Mib, symbol: str) -> Mib:
        """Return the MIB that another takes a symbol from."""
        origin = mib.imports.get(symbol)
        if origin is None:
            raise Invalid(f"{mib.name} uses {symbol}, and neither defines nor imports it")
        found = self.mib(origin)
        if found is None or origin == mib.name:
            raise Missing(origin, symbol, mib.name)
        return found

    def places(self, mib: Mib) -> dict[str, ObjectType]:
        """Return the objects of a MIB by OID; those whose place another, missing MIB tells, not."""
        if mib.name not in self._places:
            self._places[mib.name] = found = {}
            for name, known in mib.objects.items():
                with suppress(Missing):
                    found[self.oid(mib, name)] = known
        return self._places[mib.name]

    def object(self, mib: Mib, symbol: str) -> tuple[Mib, ObjectType]:
        """Return an object as a MIB knows it, and the MIB it is defined in."""
        for _ in range(DEEPEST):
            if symbol in mib.objects:
                return mib, mib.objects[symbol]
            mib = self._origin(mib, symbol)
        raise Invalid(f"{symbol} is imported in a circle")

    def type(self, mib: Mib, syntax: Any, depth: int = 0) -> Type:
        """Return what a syntax is, down to its base."""
        if depth > DEEPEST:
            raise Invalid(f"{mib.name}: a type is defined in terms of itself")
        if syntax[0] == "BITS":
            return Type("BITS", _names(syntax[1]))
        name, subtype = syntax[1], syntax[2] if len(syntax) > 2 else None  # noqa: PLR2004
        found = self._named(mib, name, depth)
        if subtype and subtype[0] == "enumSpec":
            return Type(found.base, _names(subtype[1]), 0, found.hint, found.conventions)
        if subtype and subtype[0] == "octetStringSubType" and (size := _size(subtype[1])):
            return Type(found.base, found.names, size, found.hint, found.conventions)
        return found

    def _named(self, mib: Mib, name: str, depth: int) -> Type:
        if name in mib.types:
            return self._declared(mib, name, depth)
        known = standard.TYPES.get(name)
        origin = mib.imports.get(name)
        if origin is None or origin in standard.SMI:
            return known or Type(SAME.get(name, name))
        if known is None:
            return self._named(self._origin(mib, name), name, depth + 1)
        return known

    def _declared(self, mib: Mib, name: str, depth: int) -> Type:
        # typeDeclarationRHS of a TEXTUAL-CONVENTION has its hint in front, of a plain type not.
        _, *parts = mib.types[name]
        hint = parts[0][1] if len(parts) > 1 and parts[0] else ""
        return self.type(mib, parts[-1], depth + 1).named(name, hint)


def _names(pairs: list[tuple[str, int]]) -> dict[int, str]:
    return {number: name for name, number in pairs}


def _size(ranges: list[tuple[int, ...]]) -> int:
    """Return the one size that a string can have, or 0."""
    sizes = {number for limits in ranges for number in limits}
    return sizes.pop() if len(sizes) == 1 else 0
