"""People who log in as people do, and a second control plane on the same database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from controlplane.app import create_app
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Role
from controlplane.auth.roles.models import Grant
from controlplane.settings import Settings
from controlplane.users import service as users
from controlplane.users.models import User
from tests.controlplane.conftest import CHEAP_MEMORY_KIB, PASSWORD, Sessions

SignIn = Callable[..., Awaitable[dict[str, Any]]]


def bearer(token: str) -> dict[str, str]:
    """Give the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def ann(app: FastAPI, sessions: Sessions) -> User:
    """Give an operator who can log in."""
    async with sessions.begin() as session:
        hashed = await app.state.identity.passwords.hash(PASSWORD)
        user = await users.add(session, "ann", hashed, "ann@example.net")
        session.add(Grant(user_id=user.id, role=Role.OPERATOR))
        return user


@pytest.fixture
async def sign_in(anonymous: AsyncClient, ann: User) -> SignIn:
    """Give a function that logs ann in and gives the answer."""

    async def sign_in(**fields: Any) -> dict[str, Any]:
        body = {"name": ann.name, "password": PASSWORD} | fields
        response = await anonymous.post("/api/v1/auth/login", json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return sign_in


@pytest.fixture(scope="session")
async def second_app(settings: Settings) -> AsyncIterator[FastAPI]:
    """Give another control plane on the same database."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        cheap = Passwords(CHEAP_MEMORY_KIB)
        app.state.identity = replace(app.state.identity, passwords=cheap)
        yield app
        cheap.close()


@pytest.fixture
async def elsewhere(second_app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Give a client of the other control plane."""
    transport = ASGITransport(second_app)
    async with AsyncClient(transport=transport, base_url="http://chm.test") as client:
        yield client
