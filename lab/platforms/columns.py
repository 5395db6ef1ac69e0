"""Tables written down as data: an entry, the index of each row, and its columns."""

from collections.abc import Iterable, Iterator, Mapping

from lab.ber import Row, integer, octets, oid
from lab.ports import PortKind

Cells = Mapping[int, bytes]  # encoded values by the number of their column


def table(entry: str, rows: Mapping[str, Cells]) -> Iterator[Row]:
    """Return the objects of a table below its entry; a row is named by its dotted index."""
    for index, cells in rows.items():
        for column, value in cells.items():
            yield oid(f"{entry}.{column}.{index}"), value


def scalar(name: str, value: bytes) -> Row:
    """Return the instance 0 of an object without a table."""
    return oid(f"{name}.0"), value


def states(
    entry: str,
    column: int,
    parts: Iterable[bool],
    *,
    up: int,
    down: int,
    index: str = "{}",
    named: tuple[int, str] | None = None,
) -> Iterator[Row]:
    """Return the state of parts 1, 2, 3… and, in the column and words of `named`, their names."""
    for number, works in enumerate(parts, start=1):
        cells = {column: integer(up if works else down)}
        if named:
            cells[named[0]] = octets(named[1].format(number))
        yield from table(entry, {index.format(number): cells})


def ports(count: int, pattern: str, speed_mbps: int, first: int = 1) -> tuple[PortKind, ...]:
    """Return ports 1, 2, 3… whose ifName and ifDescr are made from a pattern."""
    return tuple(
        PortKind(first + n - 1, pattern.format(n), pattern.format(n), speed_mbps)
        for n in range(1, count + 1)
    )
