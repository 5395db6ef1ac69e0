"""What changed: one counter that every writer of an intention moves in its own transaction."""

from sqlalchemy import BigInteger, Column, Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

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
