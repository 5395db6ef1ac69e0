"""What a new installation needs, made where it is missing: `chm init`, and the start of `chm up`.

Running it again changes nothing but the files that follow from the settings.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import create_engine, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane import database, files
from controlplane.audit import session as audited
from controlplane.auth import accounts, keys, service_tokens
from controlplane.auth.actor import system
from controlplane.auth.models import ServiceToken
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Permission
from controlplane.clients.notifier import Notifier
from controlplane.clients.prometheus import NotRunning, Prometheus
from controlplane.devices import document, queries
from controlplane.devices.schemas import DeviceQuery, ImportDocument
from controlplane.errors import ConfigurationError
from controlplane.provisioning import boards, configuration
from controlplane.provisioning.alertmanager.service import RoutingDeployer
from controlplane.provisioning.service import Deployer, rule_intent
from controlplane.settings import Settings
from controlplane.vault import Vault, ring

KEYS = ("audit.key",)
VERIFY_TOKEN_BYTES = 32
SERVICES = {
    "exporter": (Permission.SNAPSHOT_READ,),
    "prometheus": (Permission.TARGETS_READ, Permission.INTENT_READ),
    "alertmanager": (Permission.ALERTS_INGEST,),
}


async def initialise(settings: Settings, *, new_tokens: bool = False) -> None:
    """Make keys, tables, tokens of services, configuration files, dashboards and rules.

    Tokens that another machine may hold are ended only where `new_tokens` says so; the database
    in our own folder has no other machine.
    """
    rule_intent(settings)  # what rules cannot have is refused before anything is made
    await _refuse_without_keys(settings)
    for name in KEYS:
        keys.ensure(settings.secrets / name)
    ring.ensure(settings)
    if not settings.verify_token_file.exists():
        token = secrets.token_urlsafe(VERIFY_TOKEN_BYTES)
        files.replace(settings.verify_token_file, token.encode(), files.PRIVATE)
    await asyncio.to_thread(database.migrate, settings)
    async with _sessions(settings) as sessions:
        async with sessions.begin() as session:
            for name, permissions in SERVICES.items():
                file = settings.token_file(name)
                renew = new_tokens or settings.database_url is None
                await service_tokens.ensure_file(session, name, permissions, file, renew=renew)
        await _write_files(settings)
        await _first_rules(settings, sessions)
        await _first_routes(settings, sessions)


async def first_admin(settings: Settings) -> str | None:
    """Add an admin where there is none; give the password, which is kept nowhere.

    The last step of a start: nobody should have to look for a password that was never shown.
    """
    passwords = Passwords()
    try:
        async with _sessions(settings) as sessions, sessions.begin() as session:
            return await accounts.add_first_admin(session, passwords)
    finally:
        passwords.close()


async def import_first_inventory(settings: Settings, content: bytes) -> None:
    """Import a document into an inventory that is still empty; what people made of it stays."""
    async with _sessions(settings) as sessions, sessions.begin() as session:
        if (
            await session.scalar(queries.devices(system("setup"), DeviceQuery()).limit(1))
            is not None
        ):
            return
        vault = Vault(ring.from_settings(settings))
        await document.apply(
            session, system("setup"), vault, ImportDocument.model_validate_json(content)
        )


async def _refuse_without_keys(settings: Settings) -> None:
    """Raise ConfigurationError where new keys would not fit what the database holds already."""
    missing = [name for name in KEYS if not (settings.secrets / name).exists()]
    if ring.is_missing(settings):
        missing.append("vault.key")
    in_use = bool(missing) and await asyncio.to_thread(_in_use, settings)
    if in_use:
        raise ConfigurationError(
            f"the database belongs to an installation whose keys are not in {settings.secrets}"
            f" ({', '.join(missing)}): copy them from that installation or from its backup"
        )


def _in_use(settings: Settings) -> bool:
    """Say whether services were given tokens on this database."""
    engine = create_engine(database.owner_url(settings).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(ServiceToken.__tablename__):
                return False
            return connection.scalar(select(func.count()).select_from(ServiceToken)) != 0
    finally:
        engine.dispose()


async def _write_files(settings: Settings) -> None:
    """Write prometheus.yml and dashboards; a Prometheus that runs already reads its file again."""
    content = configuration.prometheus(settings).encode()
    if files.replace(settings.prometheus_folder / "prometheus.yml", content, files.PRIVATE):
        async with Prometheus.at(settings.prometheus_url) as prometheus:
            with suppress(NotRunning):
                await prometheus.reload()
    boards.deploy(settings.dashboards_folder)


async def _first_rules(settings: Settings, sessions: async_sessionmaker[AsyncSession]) -> None:
    """Lay the rules where Prometheus finds them at its start."""
    async with Prometheus.at(settings.prometheus_url) as prometheus:
        result = await Deployer(settings, sessions, prometheus).deploy()
    current = settings.prometheus_folder / "rules.d" / "current"
    if not current.exists():
        raise ConfigurationError(f"no rule set can be put in force: {result and result.detail}")


async def _first_routes(settings: Settings, sessions: async_sessionmaker[AsyncSession]) -> None:
    """Lay channels and routes where Alertmanager finds them at its start."""
    vault = Vault(ring.from_settings(settings))
    async with Notifier.at(settings.alertmanager_url) as notifier:
        result = await RoutingDeployer(settings, sessions, notifier, vault).deploy()
    if not (settings.prometheus_folder / "alertmanager.yml").exists():
        detail = result and result.detail
        raise ConfigurationError(f"no routes for alerts can be put in force: {detail}")


@asynccontextmanager
async def _sessions(settings: Settings) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    key = keys.load(settings.secrets / "audit.key")
    engine = database.connect(settings)
    try:
        yield audited.sessions(engine, key)
    finally:
        await engine.dispose()
