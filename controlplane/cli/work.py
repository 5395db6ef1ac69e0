"""Do the work of a command: one transaction on the database, with the services of the API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import database
from controlplane.audit import session as audited
from controlplane.auth import keys
from controlplane.settings import Settings
from controlplane.vault import Vault

Result = TypeVar("Result")


def transact(settings: Settings, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    """Run `work` in a transaction of its own and give what it gives."""

    async def run() -> Result:
        engine = database.connect(settings)
        try:
            key = keys.load(settings.secrets / "audit.key")
            async with audited.sessions(engine, key).begin() as session:
                await database.reach(session)
                return await work(session)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def vault(settings: Settings) -> Vault:
    """Open the vault."""
    return Vault(keys.load(settings.secrets / "vault.key"))
