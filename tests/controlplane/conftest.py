"""The control plane over its real edge: HTTP in one process, on a real database."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Request
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlmodel import SQLModel

from controlplane import database, events
from controlplane.app import create_app
from controlplane.auth import keys, service_tokens
from controlplane.auth import sessions as logins
from controlplane.auth.actor import EVERYTHING, Scope, system
from controlplane.auth.identity import Identity
from controlplane.auth.models import Delivery
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Permission, Role
from controlplane.auth.roles.models import Grant
from controlplane.auth.sessions import Client
from controlplane.auth.tokens import Claims
from controlplane.settings import Settings
from controlplane.users import service as users

Sessions = async_sessionmaker[AsyncSession]
Login = Callable[..., Awaitable[AsyncClient]]
Service = Callable[..., Awaitable[AsyncClient]]

CHEAP_MEMORY_KIB = 64  # argon2 at its cheapest: these passwords guard nothing
UNHURRIED = 1_000_000  # requests a minute: all tests come from one address
PASSWORD = "correct horse battery staple"


CONDITIONAL = re.compile(r"/api/v1/(credentials|roles|users/[^/]+/grants)/.+")


async def change_any_version(request: Request) -> None:
    """Say for tests of other things that they change whatever there is, where one has to say.

    A test of the header itself gives it, or takes this from its client (`event_hooks`).
    """
    if request.method in {"PATCH", "PUT", "DELETE"} and CONDITIONAL.fullmatch(request.url.path):
        request.headers.setdefault("If-Match", "*")


def application_url(owner: str) -> str:
    """Give the address under which the application reaches the owner's database."""
    return owner.replace("//postgres@", "//chm_app@")


@pytest.fixture(scope="session")
def settings(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give settings with keys and a migrated database."""
    data: Path = tmp_path_factory.mktemp("data")
    settings = Settings(
        data=data,
        database_url=application_url(postgres),
        database_owner_url=postgres,
        scrape_interval=15,
        exporters="127.0.0.1:9116",
        alertmanager_url="http://127.0.0.1:9",  # nothing listens there
        public_url="http://chm.test",
        management_networks="10.0.0.0/8,127.0.0.0/8,192.0.2.0/24,2001:db8::/32",
        management_domains="example.net,localhost",
        rate_login=UNHURRIED,
        rate_read=UNHURRIED,
        rate_write=UNHURRIED,
        rate_heavy=UNHURRIED,
        rate_service=UNHURRIED,
    )
    for name in ("vault.key", "audit.key"):
        keys.ensure(settings.secrets / name)
    database.migrate(settings)
    return settings


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """Give the running application."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        cheap = Passwords(CHEAP_MEMORY_KIB)
        app.state.identity = replace(app.state.identity, passwords=cheap)
        yield app
        cheap.close()


@pytest.fixture(scope="session")
async def owner(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Give the database as its owner reaches it, who can do what the application cannot."""
    engine = create_async_engine(database.owner_url(settings))
    yield engine
    await engine.dispose()


@pytest.fixture
async def sessions(app: FastAPI, owner: AsyncEngine) -> Sessions:
    """Give sessions on a database without rows, as every test begins."""
    async with owner.begin() as connection:
        await connection.execute(
            text("SET LOCAL session_replication_role = replica")
        )  # no triggers
        for table in reversed(SQLModel.metadata.sorted_tables):
            if table is not events.CHANGES:
                await connection.execute(table.delete())
    factory: Sessions = app.state.sessions
    async with factory.begin() as session:
        await events.changed(session)
    return factory


@pytest.fixture
async def anonymous(app: FastAPI, sessions: Sessions) -> AsyncIterator[AsyncClient]:
    """Give a client that is not logged in."""
    async with AsyncClient(transport=ASGITransport(app), base_url="http://chm.test") as client:
        assert sessions
        yield client


@pytest.fixture
async def log_in(app: FastAPI, sessions: Sessions) -> AsyncIterator[Login]:
    """Give a function that adds a person of a role, in some scope, and logs them in."""
    clients: list[AsyncClient] = []

    async def log_in(role: Role, *scopes: Scope, name: str = "") -> AsyncClient:
        async with sessions.begin() as session:
            identity: Identity = app.state.identity
            hashed = await identity.passwords.hash(PASSWORD)
            user = await users.add(session, name or str(role), hashed)
            for scope in scopes or (EVERYTHING,):
                grant = Grant(user_id=user.id, role=role, scope=scope.kind, value=scope.value)
                session.add(grant)
            opened = await logins.start(session, user, Delivery.BEARER, Client(), identity.limits)
            token = await identity.tokens.issue(session, Claims(user.id, opened.login.id))
        client = AsyncClient(
            transport=ASGITransport(app),
            base_url="http://chm.test",
            headers={"Authorization": f"Bearer {token}"},
            event_hooks={"request": [change_any_version]},
        )
        clients.append(client)
        return client

    yield log_in
    for client in clients:
        await client.aclose()


@pytest.fixture
async def client(log_in: Login) -> AsyncClient:
    """Give a client with an admin logged in."""
    return await log_in(Role.ADMIN)


@pytest.fixture
async def roles(client: AsyncClient) -> None:
    """Have the device roles that tests give to devices."""
    for name in ("access", "core", "edge"):
        made = await client.post("/api/v1/device-roles", json={"name": name})
        assert made.status_code == 201, made.text


@pytest.fixture
async def service(app: FastAPI, sessions: Sessions) -> AsyncIterator[Service]:
    """Give a function that makes a service's client with the given permissions."""
    clients: list[AsyncClient] = []

    async def service(*permissions: Permission) -> AsyncClient:
        async with sessions.begin() as session:
            token = await service_tokens.issue(session, system("test"), "a-service", permissions)
        client = AsyncClient(
            transport=ASGITransport(app),
            base_url="http://chm.test",
            headers={"Authorization": f"Bearer {token}"},
            event_hooks={"request": [change_any_version]},
        )
        clients.append(client)
        return client

    yield service
    for client in clients:
        await client.aclose()


@pytest.fixture
def statements(app: FastAPI) -> Iterator[list[str]]:
    """Give the SQL that the application sends, as it is sent."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    engine = app.state.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def equip(app: FastAPI) -> Iterator[Callable[..., None]]:
    """Give a function that exchanges parts of what knows people, until the end of the test."""
    before: Identity = app.state.identity

    def equip(**parts: Any) -> None:
        app.state.identity = replace(before, **parts)

    yield equip
    app.state.identity = before
