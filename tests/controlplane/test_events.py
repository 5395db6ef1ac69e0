"""What is kept in memory, and how its owner learns that it is old."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from controlplane import database, events
from controlplane.audit import session as audited
from controlplane.auth.permissions import Permission
from controlplane.settings import Settings
from tests.controlplane.conftest import Service, Sessions

SERVICES = (Permission.TARGETS_READ, Permission.SNAPSHOT_READ, Permission.INTENT_READ)
PATHS = ("/api/v1/targets/0", "/api/v1/exporter/snapshot", "/metrics/intent")


async def until_known(watch: events.Watch, counted: int) -> None:
    async with asyncio.timeout(30):
        while watch.count != counted:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(watch: events.Watch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[Sessions]:
    """Give the sessions of another process, which says nothing to the watch of this one."""
    engine = create_async_engine(database.url(settings))
    yield audited.sessions(engine, b"k" * 32)
    await engine.dispose()


async def counted(sessions: Sessions) -> int:
    async with sessions() as session:
        return await events.count(session)


async def test_services_ask_without_a_query(
    app: FastAPI, client: AsyncClient, service: Service, statements: list[str], sessions: Sessions
) -> None:
    """While nothing changes, targets, snapshot and intent come from memory, token and all."""
    await client.post("/api/v1/devices", json={"name": "a", "address": "10.0.0.1"})
    asking = await service(*SERVICES)
    first = [(await asking.get(path)).content for path in PATHS]
    await until_known(app.state.watch, await counted(sessions))
    for path in PATHS:  # kept under the count that is known now
        await asking.get(path)
    statements.clear()
    again = [await asking.get(path) for path in PATHS]
    assert [sent for sent in statements if "rate_limits" not in sent] == []
    assert [answer.content for answer in again] == first


async def test_an_ended_token_is_refused_at_once(
    app: FastAPI, client: AsyncClient, service: Service, sessions: Sessions
) -> None:
    """That a service was let in from memory does not outlive its token."""
    await client.post("/api/v1/devices", json={"name": "a", "address": "10.0.0.1"})
    asking = await service(*SERVICES)
    await until_known(app.state.watch, await counted(sessions))
    assert (await asking.get(PATHS[0])).status_code == 200
    newer = await service(*SERVICES)
    assert (await asking.get(PATHS[0])).status_code == 401
    assert (await newer.get(PATHS[0])).status_code == 200


async def test_a_change_of_another_process_is_told(app: FastAPI, elsewhere: Sessions) -> None:
    """PostgreSQL tells every process of a commit, and of a rollback none."""
    watch: events.Watch = app.state.watch
    before = await counted(elsewhere)
    async with elsewhere() as session:
        await events.changed(session)
        await session.rollback()
    async with elsewhere.begin() as session:
        await events.changed(session)
    await until_known(watch, before + 1)


async def test_a_lost_connection_is_noticed(
    settings: Settings, elsewhere: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    """A watch whose connection is cut knows nothing until it has another one, and says so."""
    engine = create_async_engine(
        database.url(settings), connect_args={"server_settings": {"application_name": "cut"}}
    )
    watch = events.Watch(engine)
    async with watching(watch):
        await until_known(watch, await counted(elsewhere))
        async with elsewhere() as session:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name"
            await session.execute(text(f"{cut} = 'cut'"))
        async with asyncio.timeout(30):
            while watch.count is not None:
                await asyncio.sleep(0.01)
        async with elsewhere.begin() as session:
            await events.changed(session)
        await until_known(watch, await counted(elsewhere))
    await engine.dispose()
    assert "changes are not watched" in caplog.text


async def test_those_who_ask_at_once_wait_for_one(app: FastAPI, sessions: Sessions) -> None:
    """Ten scrapes of what nobody has made yet make it once."""
    built = []

    async def build(session: AsyncSession) -> int:
        built.append(await events.count(session))
        await asyncio.sleep(0)
        return len(built)

    watch: events.Watch = app.state.watch
    await until_known(watch, await counted(sessions))
    cache = events.Cache(build)
    lend = partial(database.reading, sessions)
    assert await asyncio.gather(*(cache.recent(watch, lend) for _ in range(10))) == [1] * 10


async def test_what_does_not_last_is_made_anew(app: FastAPI, sessions: Sessions) -> None:
    """What the clock or a file changes is asked whether it still is so."""
    made: list[int] = []

    async def build(_: AsyncSession) -> int:
        made.append(1)
        return len(made)

    cache = events.Cache(build, lambda content: content != 1)
    lend = partial(database.reading, sessions)
    found = [await cache.recent(app.state.watch, lend) for _ in range(3)]
    assert found == [1, 2, 2]
