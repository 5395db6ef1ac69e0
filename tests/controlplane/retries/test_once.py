"""Requests with an Idempotency-Key, sent again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from controlplane import events
from controlplane.app.access import operations
from controlplane.auth.permissions import Role
from controlplane.database import now
from controlplane.devices.models import Device
from controlplane.retries import once, tasks
from controlplane.retries.models import KeptAnswer
from tests.controlplane.conftest import Login, Sessions

URL = "/api/v1/devices"
EDGE = {"name": "edge1", "address": "10.0.0.1"}
KEY = "0f6c1d2e-33f1-4c59-9d3a-0f2f3d4c5b6a"


async def post(client: AsyncClient, body: Any = EDGE, key: str = KEY, url: str = URL) -> Response:
    return await client.post(url, json=body, headers={once.HEADER: key})


async def devices(sessions: Sessions) -> int:
    async with sessions() as session:
        return await session.scalar(select(func.count()).select_from(Device)) or 0


async def answers(session: AsyncSession) -> list[KeptAnswer]:
    return list(await session.scalars(select(KeptAnswer)))


class TestAgain:
    async def test_it_is_answered_and_not_done(
        self, client: AsyncClient, sessions: Sessions
    ) -> None:
        """The second answer is the first, says that it is, and there is one device."""
        first = await post(client)
        second = await post(client, key=f'"{KEY}"')
        assert first.status_code == second.status_code == 201, second.text
        assert first.content == second.content
        assert second.headers["ETag"] == first.headers["ETag"] == '"1"'
        assert once.REPLAYED not in first.headers
        assert second.headers[once.REPLAYED] == "true"
        assert await devices(sessions) == 1

    async def test_another_body_is_another_request(self, client: AsyncClient) -> None:
        """The same key on something else is a mistake of the client, and is told as one."""
        await post(client)
        response = await post(client, EDGE | {"name": "edge2"})
        assert response.status_code == 422
        assert [e["code"] for e in response.json()["errors"]] == ["reused"]
        assert (await post(client, {"name": "s"}, url="/api/v1/sites")).status_code == 422

    async def test_a_refusal_is_not_kept(self, client: AsyncClient) -> None:
        """What was refused changed nothing, so it may succeed under the same key."""
        assert (await post(client, EDGE | {"site": "s"})).status_code == 422
        await client.post("/api/v1/sites", json={"name": "s"})
        assert (await post(client, EDGE | {"site": "s"})).status_code == 201

    async def test_secrets_that_come_in(self, client: AsyncClient) -> None:
        """A credential is written once, too: its answer shows nothing of it."""
        body = {"name": "lab", "version": 2, "community": "public"}
        answers = [await post(client, body, url="/api/v1/credentials") for _ in range(2)]
        assert [a.status_code for a in answers] == [201, 201], answers[0].text
        assert answers[1].headers[once.REPLAYED] == "true"
        other = body | {"community": "private"}
        assert (await post(client, other, url="/api/v1/credentials")).status_code == 422

    async def test_after_a_day_it_is_new(self, client: AsyncClient, sessions: Sessions) -> None:
        """After 24 hours the answer is gone: the request is done, here into a conflict."""
        await post(client)
        async with sessions.begin() as session:
            await session.execute(update(KeptAnswer).values(created_at=now() - once.KEPT))
        assert (await post(client)).status_code == 409

    async def test_the_worker_forgets(self, client: AsyncClient, sessions: Sessions) -> None:
        """What is older than a day is removed, and nothing else."""
        await post(client)
        await post(client, EDGE | {"name": "edge2"}, key=str(uuid4()))
        async with sessions.begin() as session:
            oldest, _ = await answers(session)
            oldest.created_at = now() - once.KEPT - timedelta(seconds=1)
            await session.flush()
            await tasks.forget(session)
            (left,) = await answers(session)
            assert left.key != oldest.key


class TestInFlight:
    @pytest.fixture
    async def held(self, sessions: Sessions) -> AsyncIterator[AsyncSession]:
        """Give a transaction that holds up every writer until it ends."""
        async with sessions() as session:
            await events.changed(session)
            yield session

    async def test_the_same_at_the_same_time(
        self, client: AsyncClient, sessions: Sessions, held: AsyncSession
    ) -> None:
        """While the first is being done the second is a conflict; afterwards it is the answer."""
        first = asyncio.create_task(post(client))
        await self._claimed(sessions)
        assert (await post(client)).status_code == 409
        await held.rollback()
        assert (await first).status_code == 201
        assert (await post(client)).headers[once.REPLAYED] == "true"
        assert await devices(sessions) == 1

    async def test_a_crash_blocks_nobody(
        self, client: AsyncClient, sessions: Sessions, held: AsyncSession
    ) -> None:
        """Whoever was killed in the middle did nothing, and the next attempt does it."""
        first = asyncio.create_task(post(client))
        await self._claimed(sessions)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await held.rollback()
        assert await devices(sessions) == 0
        again = await post(client)
        assert again.status_code == 201, again.text
        assert once.REPLAYED not in again.headers

    async def _claimed(self, sessions: Sessions) -> None:
        """Wait until a request waits for the one that holds up all writers."""
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        async with asyncio.timeout(30), sessions() as session:
            while not await session.scalar(waiting):
                await session.rollback()
                await asyncio.sleep(0.01)

    async def test_killed_between_change_and_answer(
        self, client: AsyncClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the answer cannot be kept the change is not made either; again does it once."""

        async def die(*_: object) -> None:
            raise OSError("the process is killed here")

        with monkeypatch.context() as dying:
            dying.setattr(once.Asked, "keep", die)
            assert (await post(client)).status_code == 500
        assert await devices(sessions) == 0
        assert (await post(client)).status_code == 201
        assert (await post(client)).headers[once.REPLAYED] == "true"
        assert await devices(sessions) == 1


class TestWhoAsks:
    async def test_nobody_reads_the_answer_of_another(
        self, client: AsyncClient, log_in: Login
    ) -> None:
        """Another person with the same key and body is another request."""
        await post(client)
        other = await log_in(Role.ADMIN, name="other")
        response = await post(other)
        assert response.status_code == 409
        assert once.REPLAYED not in response.headers

    async def test_nobody_fills_the_table(
        self, client: AsyncClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One actor has so many answers kept, and is told when there is room again."""
        monkeypatch.setattr(once, "MOST", 1)
        await post(client)
        response = await post(client, EDGE | {"name": "edge2"}, key=str(uuid4()))
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= once.KEPT.total_seconds()
        assert await devices(sessions) == 1

    @pytest.mark.parametrize("key", ["", "short", "x" * 129, 'a"b' * 8, "white space in a key"])
    async def test_a_key_is_random_text(self, client: AsyncClient, key: str) -> None:
        """What could be guessed, or is no key, is refused."""
        assert (await post(client, key=key)).status_code == 422


class TestSecrets:
    async def test_what_shows_a_secret_takes_no_key(self, client: AsyncClient) -> None:
        """The answer with a new token is not kept anywhere, so a key is refused there."""
        response = await post(
            client, {"name": "ci", "permissions": ["devices:read"]}, url="/api/v1/auth/tokens"
        )
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == f"/header/{once.HEADER}"

    async def test_neither_key_nor_body_is_kept(
        self, client: AsyncClient, sessions: Sessions
    ) -> None:
        """Of an import of credentials the table holds tallies, and no key to guess bodies by."""
        canary = "canary-of-a-community"
        lab = {"name": "lab", "version": 2, "community": canary}
        response = await post(client, {"credentials": [lab]}, url=f"{URL}/import")
        assert response.status_code == 200, response.text
        async with sessions() as session:
            (answer,) = await answers(session)
        assert KEY not in str(answer)
        assert canary.encode() not in answer.body

    def test_no_path_of_logins_keeps_answers(self, app: FastAPI) -> None:
        """Accounts, tokens, invitations and second factors are outside, whatever is added."""
        document = app.openapi()["paths"]
        keeping = {
            path
            for path, methods in document.items()
            for p in methods.get("post", {}).get("parameters", [])
            if p["name"] == once.HEADER
        }
        assert {URL, "/api/v1/sites", "/api/v1/device-groups"} <= keeping
        assert not [p for p in keeping if p.startswith(("/api/v1/auth", "/api/v1/users"))]
        assert keeping <= {operation.path for operation in operations(app)}
