"""The keys that sign access tokens: shared by replicas, rotated while everything runs."""

import asyncio

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlmodel import select

from controlplane.auth import signing
from controlplane.auth.models import SigningKey
from controlplane.auth.signing import SigningKeys
from controlplane.database import now
from controlplane.errors import ChmError
from tests.controlplane.auth.conftest import SignIn, bearer
from tests.controlplane.conftest import Sessions

ME = "/api/v1/auth/me"


async def rotate(app: FastAPI, *, drop: bool = False) -> None:
    identity = app.state.identity
    async with identity.sessions.begin() as session:
        await signing.rotate(session, identity.vault, identity.tokens.lifetime, drop=drop)


async def kid(app: FastAPI) -> str:
    identity = app.state.identity
    async with identity.sessions.begin() as session:
        return str((await identity.tokens.keys.current(session)).id)


async def test_replicas_share_one_key(
    app: FastAPI, second_app: FastAPI, sessions: Sessions
) -> None:
    """Two replicas that make the first key at the same moment make one."""
    first, second = await asyncio.gather(kid(app), kid(second_app))
    assert first == second
    async with sessions() as session:
        key = (await session.scalars(select(SigningKey))).one()
    opened = app.state.identity.tokens.keys
    async with sessions.begin() as session:
        plain = (await opened.current(session)).secret
    assert len(plain) == 32
    assert plain not in key.secret


async def test_no_request_fails_while_keys_rotate(
    app: FastAPI, anonymous: AsyncClient, elsewhere: AsyncClient, sign_in: SignIn
) -> None:
    """Readers of both replicas and refreshes go on while the key is rotated five times."""
    login = await sign_in()
    done = asyncio.Event()
    statuses: list[int] = []

    async def read(client: AsyncClient) -> None:
        while not done.is_set():
            response = await client.get(ME, headers=bearer(login["access_token"]))
            statuses.append(response.status_code)

    async def renew() -> int:
        nonlocal login
        keys = set()
        for client in (anonymous, elsewhere) * 5:
            body = {"refresh_token": login["refresh_token"]}
            response = await client.post("/api/v1/auth/refresh", json=body)
            statuses.append(response.status_code)
            login = response.json()
            keys.add(await kid(app))
            if client is anonymous:
                await rotate(app)
        return len(keys)

    readers = [asyncio.create_task(read(client)) for client in (anonymous, elsewhere) * 2]
    try:
        assert await renew() > 3
    finally:
        done.set()
        await asyncio.gather(*readers)
    assert len(statuses) > 20
    assert set(statuses) == {200}


async def test_an_old_key_verifies_until_its_tokens_are_gone(
    app: FastAPI,
    anonymous: AsyncClient,
    elsewhere: AsyncClient,
    sign_in: SignIn,
    sessions: Sessions,
) -> None:
    """After a rotation old tokens are good; once their time is over the old key is not."""
    old = await sign_in()
    await rotate(app)
    new = await sign_in()
    for client in (anonymous, elsewhere):
        for login in (old, new):
            response = await client.get(ME, headers=bearer(login["access_token"]))
            assert response.status_code == 200
    async with sessions.begin() as session:
        keys = (await session.scalars(select(SigningKey))).all()
        (retired,) = [key for key in keys if key.verifies_until is not None]
        assert retired.verifies_until is not None
        assert (retired.verifies_until - now()).total_seconds() > app.state.identity.tokens.lifetime
        retired.verifies_until = now()
    forgetful = SigningKeys(app.state.vault)
    async with sessions.begin() as session:
        assert await forgetful.find(session, retired.id) is None


async def test_a_dropped_key_is_dead(
    app: FastAPI,
    anonymous: AsyncClient,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key that leaked is dropped: its tokens end as soon as processes look again."""
    monkeypatch.setattr(signing, "RECHECK_SECONDS", 0.0)
    old = await sign_in()
    await rotate(app, drop=True)
    response = await anonymous.get(ME, headers=bearer(old["access_token"]))
    assert response.status_code == 401
    new = await sign_in()
    assert (await anonymous.get(ME, headers=bearer(new["access_token"]))).status_code == 200


async def test_a_key_moved_or_altered_signs_nothing(app: FastAPI, sessions: Sessions) -> None:
    """A row whose ciphertext was swapped does not open."""
    await kid(app)
    await rotate(app)
    async with sessions.begin() as session:
        old, new = (await session.scalars(select(SigningKey))).all()
        old.secret, new.secret = new.secret, old.secret
    with pytest.raises(ChmError):
        await kid(app)
