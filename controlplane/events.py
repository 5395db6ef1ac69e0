"""What changed: one counter that every writer of an intention moves in its own transaction."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Generic, TypeVar

from asyncpg import Connection, InterfaceError, PostgresError
from sqlalchemy import BigInteger, Column, Table, event, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import SQLModel

log = logging.getLogger(__name__)

Content = TypeVar("Content")
Lend = Callable[[], AbstractAsyncContextManager[AsyncSession]]

CHANNEL = "chm_changes"
WATCH = "watch"  # the key under which a session knows the watch of its process
LOOK_SECONDS = 2.0  # between two looks at the counter, where no notification comes
TRUSTED_SECONDS = 5.0  # how long a look is believed; after that everyone looks for themselves

CHANGES = Table(  # one row; the first migration puts it there
    "changes",
    SQLModel.metadata,
    Column("counter", BigInteger, nullable=False),
)


async def changed(session: AsyncSession) -> None:
    """Count a change; call it before reading what the change depends on.

    The row stays locked until the commit, so writers take turns and each sees the one before it.
    A reader that sees the new count sees the new content: both arrive with one commit, and so does
    the notification to every process that watches.
    """
    moved = update(CHANGES).values(counter=CHANGES.c.counter + 1).returning(CHANGES.c.counter).cte()
    await session.execute(select(func.pg_notify(CHANNEL, "")).select_from(moved))
    watch: Watch | None = session.info.get(WATCH)
    if watch is not None:
        event.listen(session.sync_session, "after_commit", watch.doubt)


async def count(session: AsyncSession) -> int:
    """Give the count of changes; read it before the content, so that old content is never new."""
    counter: int = (await session.execute(select(CHANGES.c.counter))).scalar_one()
    return counter


class Watch:
    """Knows the count of changes without a query: PostgreSQL tells it, and it looks by itself.

    What is told gets lost with a connection, so every `LOOK_SECONDS` it looks all the same. A
    commit of its own process puts it in doubt at once; what it does not know, it says.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._told = asyncio.Event()
        self._count: int | None = None
        self._seen = 0.0
        self._doubts = 0

    @property
    def count(self) -> int | None:
        """The count of changes as of a moment ago; None where nobody knows."""
        recent = time.monotonic() - self._seen < TRUSTED_SECONDS
        return self._count if recent else None

    def doubt(self, *_: object) -> None:
        """Know nothing until the next look, which comes at once."""
        self._doubts += 1
        self._count = None
        self._told.set()

    async def run(self) -> None:
        """Watch for ever; while the database does not answer, the count is not known."""
        while True:
            try:
                async with self._listening() as connection:
                    await self._look_on(connection)
            except (OSError, PostgresError, InterfaceError, SQLAlchemyError) as error:
                self.doubt()
                log.warning("changes are not watched: %s", type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[Connection]:
        async with self._engine.connect() as borrowed:
            raw = await borrowed.get_raw_connection()
            connection: Any = raw.driver_connection
            await connection.add_listener(CHANNEL, self._hear)
            try:
                yield connection
            finally:
                await borrowed.invalidate()  # nobody gets a connection that listens

    def _hear(self, *_: object) -> None:
        self._told.set()

    async def _look_on(self, connection: Connection) -> None:
        while True:
            doubts, began = self._doubts, time.monotonic()
            self._told.clear()
            found = await connection.fetchval("SELECT counter FROM changes", timeout=LOOK_SECONDS)
            if doubts == self._doubts:
                self._count, self._seen = found, began
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._told.wait()
            except TimeoutError:
                continue  # nothing was told: look whether that is so


def _always(_content: object) -> bool:
    return True


class Cache(Generic[Content]):
    """Keeps what is derived from the database until the count of changes moves.

    Several processes may each hold one: the count is in the database. Sessions given to `get`
    must see one moment (`database.reading`), or count and content could be of two. What
    `lasts` says no to is built anew whatever the count says.
    """

    def __init__(
        self,
        build: Callable[[AsyncSession], Awaitable[Content]],
        lasts: Callable[[Content], bool] = _always,
    ) -> None:
        self._build = build
        self._lasts = lasts
        self._kept: tuple[int, Content] | None = None
        self._building = asyncio.Lock()

    async def get(self, session: AsyncSession) -> Content:
        """Give the content as of now, built anew if anything changed."""
        counted = await count(session)
        kept = self._good(counted)
        if kept is None:
            kept = counted, await self._build(session)
            self._kept = kept
        return kept[1]

    async def recent(self, watch: Watch, lend: Lend) -> Content:
        """Give the content as of a moment ago; where nothing changed, without a query.

        Of several who ask at once one builds and the others wait for it.
        """
        if (kept := self._good(watch.count)) is not None:
            return kept[1]
        async with self._building:
            if (kept := self._good(watch.count)) is not None:
                return kept[1]
            async with lend() as session:
                return await self.get(session)

    @property
    def kept(self) -> Content | None:
        """What was given last, if anything was."""
        return self._kept[1] if self._kept else None

    def _good(self, counted: int | None) -> tuple[int, Content] | None:
        kept = self._kept
        good = kept is not None and kept[0] == counted and self._lasts(kept[1])
        return kept if good else None
