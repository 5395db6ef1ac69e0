"""The connection to PostgreSQL: engines, sessions for requests, migrations."""

import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast

import psycopg
from alembic import command
from alembic.config import Config
from asyncpg import InterfaceError, PostgresError
from fastapi import Depends, Request
from pydantic import SecretStr
from sqlalchemy import (
    Column,
    ColumnElement,
    Computed,
    DateTime,
    Enum,
    Index,
    Row,
    Select,
    Text,
    any_,
    create_engine,
    event,
    func,
    literal,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

from controlplane import privileges
from controlplane.errors import ChmError, ConfigurationError, Unavailable
from controlplane.settings import Settings

APPLICATION = "chm_app"  # the role of the application in the database that `chm up` runs
MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x43484D  # "CHM": the advisory lock that keeps two replicas from migrating at once

CONNECTIONS = 20  # of one process, at most
IDLE_SECONDS = 30.0  # after which a firewall may have forgotten a connection
RETURNED = "returned"  # when a connection was, by the monotonic clock
READING = "reading"  # marks the session of a request that changes nothing
SAFE = frozenset({"GET", "HEAD"})  # RFC 9110, section 9.2.1

# Statements of people take milliseconds: compiling one, or starting processes for it, takes longer.
SHORT = {"jit": "off", "max_parallel_workers_per_gather": "0"}

# One scheme for the names of constraints, so that migrations can name them too.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING  # here, because every module of tables imports us


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: `timestamptz` in the database, always an aware datetime in UTC in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Refuse a naive datetime: nobody knows which moment it means."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        return value

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Give the moment in UTC, whatever the server's time zone is."""
        return value.astimezone(UTC) if value is not None else None


class Json(JSONB):
    """What JSON can say; a value is written where it is another to JSON, if not to Python."""

    def compare_values(self, x: Any, y: Any) -> bool:
        """Say whether a column that holds one value need not be written to hold the other."""
        return same(x, y)


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same to JSON, to which a truth value is no number.

    Python has it that True is 1, also within lists and objects.
    """
    if one != other:
        return False
    if isinstance(one, dict):
        return all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool)


def words(kind: type[StrEnum]) -> Enum:
    """Make the column type of an enumeration: text in the database, a `kind` in Python."""
    return Enum(
        kind, native_enum=False, length=32, values_callable=lambda e: [member.value for member in e]
    )


def together(*texts: str) -> Column[str]:
    """Make the column of all that `q` looks through in a table, in lower case.

    It is written with its row, for putting it together takes longer than looking. It is not mapped:
    whoever reads a row reads it without.
    """
    text = " || ' '::text || ".join(texts)
    return Column("searched", Text, Computed(f"lower({text})", persisted=True))


def by_trigrams(searched: Column[str]) -> Index:
    """Make the index that finds any three letters or more in such a column, of a table.

    PostgreSQL's own module for it, pg_trgm, is not wherever we run: `chm up` brings none.
    """
    pieces = func.chm_trigrams(searched)
    return Index(f"ix_{searched.table.name}_trigrams", pieces, postgresql_using="gin")


def one_of(column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Say that a column is one of these values, which travel as one array: there may be many."""
    return cast("ColumnElement[bool]", column == any_(literal(list(values), ARRAY(column.type))))


async def plain(
    session: AsyncSession, statement: Select[Any], parameters: Mapping[str, Any] | None = None
) -> Sequence[Row[Any]]:
    """Give plain rows, past the ORM: of ten thousand devices that takes half the time."""
    await session.flush()  # as the ORM does before it asks
    connection = await session.connection()
    return (await connection.execute(statement, parameters)).all()


def now() -> datetime:
    """Give the current moment in UTC."""
    return datetime.now(UTC)


def embedded_url_file(settings: Settings) -> Path:
    """Name the file in which `chm up` leaves the address of the database it runs itself."""
    return settings.secrets / "database.url"


def url(settings: Settings) -> URL:
    """Find the database for the application, whose role cannot rewrite the audit log.

    CHM_DATABASE_URL or DATABASE_URL, else the database that `chm up` runs.
    """
    if settings.database_url is not None:
        given = settings.database_url.get_secret_value()
        return _with(settings.database_password, _parsed(given, "CHM_DATABASE_URL"))
    return _embedded(settings).set(username=APPLICATION)


def owner_url(settings: Settings) -> URL:
    """Find the same database for its owner, who makes and migrates the tables."""
    if settings.database_owner_url is not None:
        given = settings.database_owner_url.get_secret_value()
        return _with(settings.database_owner_password, _parsed(given, "CHM_DATABASE_OWNER_URL"))
    return url(settings) if settings.database_url is not None else _embedded(settings)


def _with(password: SecretStr | None, address: URL) -> URL:
    return address if password is None else address.set(password=password.get_secret_value())


def _embedded(settings: Settings) -> URL:
    file = embedded_url_file(settings)
    if not file.is_file():
        raise ConfigurationError(
            f"no database: CHM_DATABASE_URL is not set and {settings.data} holds none"
        )
    return _parsed(file.read_text(encoding="utf-8").strip(), str(file))


def _parsed(given: str, source: str) -> URL:
    try:
        parsed = make_url(given)
    except ArgumentError:
        raise ConfigurationError(f"{source} is not a database URL") from None
    if not parsed.drivername.startswith("postgres"):
        raise ConfigurationError(f"{source}: only PostgreSQL will do, not {parsed.drivername!r}")
    return parsed.set(drivername="postgresql+asyncpg")


def conninfo(settings: Settings) -> str:
    """Give the same database in libpq's own form, for psycopg and the job queue."""
    return url(settings).set(drivername="postgresql").render_as_string(hide_password=False)


def connect(settings: Settings) -> AsyncEngine:
    """Make the engine of one process; `dispose()` it at the end.

    Connections are kept, for opening one takes as long as several pages; and the one that was used
    last is used first, for it knows the statements, with their plans, that are asked.
    """
    engine = create_async_engine(
        url(settings),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_use_lifo=True,
        connect_args={"server_settings": SHORT},
    )
    event.listen(engine.sync_engine, "checkin", _note_return)
    event.listen(engine.sync_engine, "checkout", _refuse_lost)
    return engine


def _note_return(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[RETURNED] = time.monotonic()


def _refuse_lost(connection: Any, record: ConnectionPoolEntry, _lent: object) -> None:
    """Have the pool replace a connection that was lost: nobody is told of it.

    What PostgreSQL closed is known without asking. Only one that was idle for long is asked, which
    takes as long as three statements.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError
    if time.monotonic() - record.info.get(RETURNED, time.monotonic()) > IDLE_SECONDS:
        try:
            connection.ping()
        except (OSError, connection.dbapi.Error) as error:
            raise DisconnectionError from error


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Lend a request its session: committed when it returns, rolled back when it raises.

    An error that says so keeps the work: a wrong password has to stay counted. What only reads is
    spared the transaction: each of its statements sees its own moment either way.
    """
    factory: async_sessionmaker[AsyncSession] = request.app.state.sessions
    refusal: ChmError | None = None
    reads = request.method in SAFE
    async with factory.begin() as session:
        session.info[READING] = reads
        await reach(session, **({"isolation_level": "AUTOCOMMIT"} if reads else {}))
        try:
            yield session
        except ChmError as error:
            if not error.keeps_work:
                raise
            refusal = error
    if refusal is not None:
        raise refusal


async def reach(session: AsyncSession, **execution_options: str) -> None:
    """Take the session's connection, or raise Unavailable: the database does not answer."""
    try:
        await session.connection(execution_options=execution_options)
    except (OSError, PostgresError, InterfaceError, SQLAlchemyError) as error:
        raise Unavailable("the database does not answer") from error


# scope="function": the commit happens before the answer is sent, not after it.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]


@asynccontextmanager
async def reading(factory: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """Lend a session whose statements all see the same moment; for reading only."""
    async with factory() as session:
        await reach(session, isolation_level="REPEATABLE READ")
        yield session


def migration_config(connection: Connection) -> Config:
    """Make the configuration of Alembic for migrations on this connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def migrate(settings: Settings, revision: str = "head") -> None:
    """Bring the schema to `revision`, as its owner; several processes may call it at once."""
    engine = create_engine(owner_url(settings).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
            command.upgrade(migration_config(connection), revision)
            _lend(connection, url(settings))
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
    finally:
        engine.dispose()


def _lend(connection: Connection, application: URL) -> None:
    """Let the application work with the tables, where it is not the owner itself."""
    raw: psycopg.Connection | None = connection.connection.driver_connection
    if raw and application.username and application.username != raw.info.user:
        privileges.lend(raw, application.username, application.password)
    connection.commit()
