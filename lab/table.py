"""A device's answers of one tick, sorted and encoded, and the replies already made from them."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping

from lab.ber import COUNTER64, Oid, Row, object_identifier, sequence

Reply = tuple[bytes, bytes]  # what stands before and behind the request id


class Table:
    """The variable bindings of one tick in OID order."""

    def __init__(self, oids: list[Oid], varbinds: list[bytes], wide: frozenset[int]) -> None:
        self.oids = oids
        self.varbinds = varbinds
        self.wide = wide  # positions of Counter64 values, which SNMPv1 cannot carry
        self.replies: dict[bytes, Reply] = {}


class Source:
    """Makes the tables of a device, or of many identical ones, when somebody asks."""

    def __init__(self, render: Callable[[], Iterable[Row]]) -> None:
        self._render = render
        self._table: Table | None = None
        self._rendered: list[Oid] = []
        self._order: list[int] = []
        self._oids: list[Oid] = []
        self._encoded: list[bytes] = []

    def expire(self) -> None:
        """Let the next question see new values."""
        self._table = None

    def table(self) -> Table:
        """Return the table of this tick."""
        if self._table is None:
            self._table = self._make()
        return self._table

    def _make(self) -> Table:
        rows = list(self._render())
        rendered = [name for name, _ in rows]
        if rendered != self._rendered:  # objects come and go seldom: sort only then
            self._rendered = rendered
            self._order = sorted(range(len(rows)), key=rendered.__getitem__)
            self._oids = [rendered[place] for place in self._order]
            self._encoded = [object_identifier(name) for name in self._oids]
        values = [rows[place][1] for place in self._order]
        varbinds = [sequence(pair) for pair in zip(self._encoded, values, strict=True)]
        wide = frozenset(place for place, value in enumerate(values) if value[0] == COUNTER64)
        return Table(self._oids, varbinds, wide)


class View:
    """A table as one agent shows it: shared, but for a few bindings of its own."""

    def __init__(self, table: Table, own: Mapping[Oid, bytes], *, v1: bool) -> None:
        self._table = table
        self._own = own
        self._v1 = v1
        self.personal = False  # whether a binding of its own was shown

    def get(self, name: Oid) -> bytes | None:
        """Return the encoded binding of an instance."""
        place = bisect_left(self._table.oids, name)
        if place == len(self._table.oids) or self._table.oids[place] != name or self._hidden(place):
            return None
        return self._show(place)

    def after(self, name: Oid) -> tuple[Oid, bytes] | None:
        """Return the first instance behind a name, with its encoded binding."""
        place = bisect_right(self._table.oids, name)
        while place < len(self._table.oids):
            if not self._hidden(place):
                return self._table.oids[place], self._show(place)
            place += 1
        return None

    def _hidden(self, place: int) -> bool:
        return self._v1 and place in self._table.wide

    def _show(self, place: int) -> bytes:
        if self._own and (mine := self._own.get(self._table.oids[place])):
            self.personal = True
            return mine
        return self._table.varbinds[place]
