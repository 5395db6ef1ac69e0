"""Connections to PostgreSQL that are lost, and sessions of requests that may change nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from starlette.requests import Request

from controlplane import database
from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind, Who
from controlplane.devices.models import Site
from controlplane.settings import Settings

SOCKET = ".s.PGSQL.5432"
TERMINATE = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE usename = 'chm_app' AND pid <> pg_backend_pid()"
)


async def test_connections_that_postgresql_closed(client: AsyncClient, owner: AsyncEngine) -> None:
    """A PostgreSQL that was restarted between two requests is no error of the second."""
    many = (client.get("/api/v1/devices") for _ in range(5))
    assert {answer.status_code for answer in await asyncio.gather(*many)} == {200}
    async with owner.begin() as connection:
        await connection.execute(TERMINATE)
    await asyncio.sleep(0.1)  # until they are told
    for _ in range(5):
        assert (await client.get("/api/v1/devices")).status_code == 200


class Wire:
    """Passes bytes on to the socket of PostgreSQL, until it is cut: then each new byte is refused.

    So does a firewall that has forgotten a connection: it tells nobody until somebody speaks.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._cut = asyncio.Event()
        self.opened = 0

    def cut(self) -> None:
        """Forget the connections there are; new ones are passed on."""
        self._cut.set()
        self._cut = asyncio.Event()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one client sends, and what comes back."""
        cut = self._cut
        self.opened += 1
        there, back = await asyncio.open_unix_connection(str(self._socket))

        async def returns() -> None:
            while data := await there.read(65536):
                writer.write(data)
            writer.close()

        task = asyncio.create_task(returns())
        while data := await reader.read(65536):
            if cut.is_set():
                writer.transport.abort()
                break
            back.write(data)
        back.close()
        await task


@asynccontextmanager
async def wired(settings: Settings, tmp_path: Path) -> AsyncIterator[tuple[Wire, AsyncEngine]]:
    """Give a wire to the database, and an engine that uses it."""
    address = database.url(settings)
    wire = Wire(Path(str(address.query["host"])) / SOCKET)
    server = await asyncio.start_unix_server(wire.carry, tmp_path / SOCKET)
    through = address.update_query_dict({"host": str(tmp_path)}).render_as_string()
    engine = database.connect(settings.model_copy(update={"database_url": SecretStr(through)}))
    try:
        yield wire, engine
    finally:
        await engine.dispose()
        server.close()


async def test_connections_that_were_forgotten(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was idle for long is looked at before anybody relies on it."""
    async with wired(settings, tmp_path) as (wire, engine):
        for _ in range(2):
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        assert wire.opened == 1
        wire.cut()
        monkeypatch.setattr(database, "IDLE_SECONDS", -1.0)
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        assert wire.opened == 2


@pytest.fixture
async def reading(app: FastAPI) -> AsyncIterator[AsyncSession]:
    """Give the session of a GET."""
    request = Request({"type": "http", "method": "GET", "app": app, "headers": []})
    async with asynccontextmanager(database.get_session)(request) as session:
        yield session


async def test_a_request_that_reads_writes_no_object(reading: AsyncSession) -> None:
    """What has no transaction must not write what may have to be taken back."""
    reading.add(Site(name="berlin"))
    with pytest.raises(RuntimeError, match="may change nothing"):
        await reading.flush()
    reading.expunge_all()


async def test_a_request_that_reads_writes_no_log(reading: AsyncSession) -> None:
    """The audit log is chained under a lock that ends with a transaction, so it takes one."""
    with pytest.raises(RuntimeError, match="may change nothing"):
        await audit.record(reading, Action.CREATE, who=Who(Kind.ANONYMOUS))
