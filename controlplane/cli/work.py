"""Do the work of a command: one transaction on the database, with the services of the API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane import database
from controlplane.audit import session as audited
from controlplane.auth import keys
from controlplane.settings import Settings
from controlplane.vault import Vault, ring

Result = TypeVar("Result")
Sessions = async_sessionmaker[AsyncSession]


def transact(settings: Settings, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    """Run `work` in a transaction of its own and give what it gives."""

    async def run(sessions: Sessions) -> Result:
        async with sessions.begin() as session:
            await database.reach(session)
            return await work(session)

    return with_sessions(settings, run)


def with_sessions(settings: Settings, work: Callable[[Sessions], Awaitable[Result]]) -> Result:
    """Run `work` that makes transactions itself, and give what it gives."""

    async def run() -> Result:
        engine = database.connect(settings)
        try:
            key = keys.load(settings.secrets / "audit.key")
            return await work(audited.sessions(engine, key))
        finally:
            await engine.dispose()

    return asyncio.run(run())


def vault(settings: Settings) -> Vault:
    """Open the vault."""
    return Vault(ring.from_settings(settings))
