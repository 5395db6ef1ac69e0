"""Wrap data keys with a new key while everything runs, row by row; and see how far that is.

A table takes part by its columns: `id`, `key_version` and `data_key`; every other column of bytes
is a secret sealed under that data key, by its name.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Select, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import SQLModel

from controlplane.errors import Conflict, Unreadable
from controlplane.vault.envelope import Place, Sealed, Vault
from controlplane.vault.ring import Ring

COLUMNS = frozenset({"id", "key_version", "data_key"})
Sessions = async_sessionmaker[AsyncSession]


@dataclass(frozen=True)
class Record:
    """A record whose secrets do not open; the reason names it."""

    table: str
    id: UUID
    reason: str


def tables() -> list[Table]:
    """Give the tables that hold sealed records; the modules of their models must be imported."""
    known = SQLModel.metadata.tables  # by name: what they refer to need not be imported
    return [known[name] for name in sorted(known) if set(known[name].c.keys()) >= COLUMNS]


async def census(session: AsyncSession) -> dict[int, int]:
    """Count sealed records by the version of the key that wraps them."""
    counted: Counter[int] = Counter()
    for table in tables():
        grouped = select(table.c.key_version, func.count()).group_by(table.c.key_version)
        counted.update(dict((await session.execute(grouped)).tuples().all()))
    return dict(sorted(counted.items()))


async def rewrap(sessions: Sessions, vault: Vault) -> tuple[int, list[Record]]:
    """Wrap every data key that is not under the newest key; give how many, and what did not open.

    Each row is a transaction of its own, so nobody waits for more than one, and whatever ends the
    work half-way, the next call goes on where it ended.
    """
    done, broken = 0, list[Record]()
    for table in tables():
        last: UUID | None = None
        while True:
            async with sessions.begin() as session:
                row = (await session.execute(_next(table, vault.ring.current(), last))).first()
                if row is None:
                    break
                last = row.id
                try:
                    await _rewrap(session, vault, table, row)
                    done += 1
                except Unreadable as error:
                    broken.append(Record(table.name, row.id, error.detail))
    return done, broken


async def refuse_in_use(session: AsyncSession, version: int) -> None:
    """Raise Conflict where records are still wrapped with this key."""
    count = (await census(session)).get(version, 0)
    if count:
        raise Conflict(f"key {version} wraps {count} records; `chm vault rotate` first")


async def unreadable(session: AsyncSession, vault: Vault) -> list[Record]:
    """Open every sealed record there is, and give those that do not open."""
    found = []
    for table in tables():
        fields = [c.name for c in table.c if isinstance(c.type, LargeBinary)]
        rows = await session.stream(select(table))
        async for row in rows:
            stored = {name: getattr(row, name) for name in fields if name != "data_key"}
            secrets = {name: value for name, value in stored.items() if value is not None}
            try:
                vault.open(
                    Place(table.name, row.id), Sealed(row.key_version, row.data_key, secrets)
                )
            except Unreadable as error:
                found.append(Record(table.name, row.id, error.detail))
    return found


async def _rewrap(session: AsyncSession, vault: Vault, table: Table, row: Any) -> None:
    version, data_key = vault.rewrap(Place(table.name, row.id), row.key_version, row.data_key)
    statement = update(table).where(table.c.id == row.id)
    await session.execute(statement.values(key_version=version, data_key=data_key))


def _next(table: Table, current: int, last: UUID | None) -> Select[Any]:
    """Select and lock the next row under another key: a write of it comes before or after us."""
    statement = (
        select(table.c.id, table.c.key_version, table.c.data_key)
        .where(table.c.key_version != current)
        .order_by(table.c.id)
        .limit(1)
        .with_for_update()
    )
    return statement if last is None else statement.where(table.c.id > last)


def lines(counted: Mapping[int, int], ring: Ring) -> Iterator[dict[str, Any]]:
    """Give each key and what is under it: whether it wraps, opens, or is missing."""
    there, current = ring.versions(), ring.current()
    for version in sorted({*counted, *(there or ()), current}):
        state = "wraps" if version == current else "opens"
        if there is not None and version not in there:
            state = "missing"
        yield {"version": version, "state": state, "records": counted.get(version, 0)}
