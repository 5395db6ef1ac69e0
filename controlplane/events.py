"""What changed: one counter that every writer of an intention moves in its own transaction."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sqlalchemy import BigInteger, Column, Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

Content = TypeVar("Content")

CHANGES = Table(  # one row; the first migration puts it there
    "changes",
    SQLModel.metadata,
    Column("counter", BigInteger, nullable=False),
)


async def changed(session: AsyncSession) -> None:
    """Count a change; call it before reading what the change depends on.

    The row stays locked until the commit, so writers take turns and each sees the one before it.
    A reader that sees the new count sees the new content: both arrive with one commit.
    """
    await session.execute(update(CHANGES).values(counter=CHANGES.c.counter + 1))


async def count(session: AsyncSession) -> int:
    """Give the count of changes; read it before the content, so that old content is never new."""
    counter: int = (await session.execute(select(CHANGES.c.counter))).scalar_one()
    return counter


class Cache(Generic[Content]):
    """Keeps what is derived from the database until the count of changes moves.

    Several processes may each hold one: the count is in the database. Sessions given to `get`
    must see one moment (`database.ReadSession`), or count and content could be of two.
    """

    def __init__(self, build: Callable[[AsyncSession], Awaitable[Content]]) -> None:
        self._build = build
        self._kept: tuple[int | None, Content] | None = None

    async def get(self, session: AsyncSession) -> Content:
        """Give the content as of now, built anew if anything changed."""
        counted = await count(session)
        if self._kept is None or self._kept[0] != counted:
            self._kept = counted, await self._build(session)
        return self._kept[1]

    @property
    def kept(self) -> Content | None:
        """What was given last, if anything was."""
        return self._kept[1] if self._kept else None

    def forget(self) -> None:
        """Build anew at the next call, whatever the count says."""
        if self._kept is not None:
            self._kept = None, self._kept[1]
