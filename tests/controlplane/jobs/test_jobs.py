"""Jobs over HTTP, done by a runner in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission, Role
from controlplane.database import now
from controlplane.devices.addresses import Reach
from controlplane.jobs import queries
from controlplane.jobs.models import Job
from controlplane.jobs.progress import Progress
from controlplane.jobs.runner import ATTEMPTS, Runner, Work
from controlplane.jobs.tasks import KEPT
from controlplane.transfer.work import KIND, Import
from controlplane.users.models import User
from tests.controlplane.conftest import Login, Service, Sessions

JOBS, IMPORT = "/api/v1/jobs", "/api/v1/devices/import"
TABLE = b"name,address\na,10.0.0.1\nb,10.0.0.2\n"
Do = Callable[..., Awaitable[None]]


@pytest.fixture
def runner(app: FastAPI, sessions: Sessions) -> Runner:
    """Give what the worker does jobs with."""
    state = app.state
    work = Import(state.vault, Reach.of(state.settings))
    return Runner(sessions, state.vault, {KIND: work}, pulse=0.02)


async def ask(client: AsyncClient, content: bytes = TABLE, query: str = "async=true") -> str:
    """Ask for an import as a job, and give where it is."""
    response = await client.post(f"{IMPORT}/csv?{query}", content=content)
    assert response.status_code == 202, response.text
    return response.headers["location"]


async def look(client: AsyncClient, place: str) -> dict[str, Any]:
    response = await client.get(place)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def devices(client: AsyncClient) -> int:
    count: int = (await client.get("/api/v1/devices")).json()["count"]
    return count


async def content(sessions: Sessions) -> list[bytes | None]:
    async with sessions() as session:
        return list(await session.scalars(select(col(Job.content))))


def instead(runner: Runner, work: Work) -> Runner:
    """Give a runner that does another work."""
    return Runner(runner.sessions, runner.vault, {KIND: work}, pulse=runner.pulse)


class Waits:
    """Work that adds a device of its own, tells how far it is, and then waits."""

    def __init__(self, import_: Work) -> None:
        self.import_, self.reached, self.go_on = import_, asyncio.Event(), asyncio.Event()

    async def __call__(
        self,
        session: AsyncSession,
        actor: Actor,
        content: str,
        options: Mapping[str, Any],
        progress: Progress,
    ) -> dict[str, Any]:
        """Import, and wait before the commit."""
        result = await self.import_(session, actor, content, options, progress)
        self.reached.set()
        await self.go_on.wait()
        return result


class Breaks(Waits):
    """Work that fails as nobody expects."""

    async def __call__(
        self,
        session: AsyncSession,
        actor: Actor,
        content: str,
        options: Mapping[str, Any],
        progress: Progress,
    ) -> dict[str, Any]:
        """Import, and fail before the commit."""
        await self.import_(session, actor, content, options, progress)
        raise ZeroDivisionError("secret")


@pytest.fixture
def waits(runner: Runner) -> Waits:
    return Waits(runner.works[KIND])


async def test_an_import_is_done_by_a_worker(client: AsyncClient, runner: Runner) -> None:
    """What is asked for as a job is done later, and its report is the job's result."""
    place = await ask(client)
    waiting = await look(client, place)
    assert (waiting["status"], waiting["kind"], waiting["result"]) == ("pending", "import", None)
    assert await devices(client) == 0

    await runner.run()

    done = await look(client, place)
    assert done["status"] == "succeeded"
    assert (done["done"], done["total"]) == (4, 4)
    assert done["result"]["devices"] == {"created": 2, "updated": 0, "unchanged": 0}
    assert done["started_at"] <= done["finished_at"]
    assert await devices(client) == 2
    log = (await client.get("/api/v1/audit?action=data.import")).json()["results"]
    assert [entry["actor_name"] for entry in log] == [done["actor_name"]]


async def test_a_preference_makes_a_job(client: AsyncClient) -> None:
    """A client may prefer a job (RFC 7240), and is told that it got one."""
    headers = {"Prefer": "wait=5, Respond-Async"}
    response = await client.post(f"{IMPORT}/csv", content=TABLE, headers=headers)
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"


async def test_what_is_large_becomes_a_job(client: AsyncClient) -> None:
    """More than a mebibyte is not waited for, unless the client says that it will."""
    large = TABLE + b"\r\n" * 600_000
    response = await client.post(f"{IMPORT}/csv", content=large)
    assert response.status_code == 202
    waited = await client.post(f"{IMPORT}/csv?async=false", content=large)
    assert waited.status_code == 200
    assert waited.json()["devices"]["created"] == 2


async def test_what_waits_is_sealed_and_then_forgotten(
    client: AsyncClient, runner: Runner, sessions: Sessions
) -> None:
    """A file may hold credentials: nobody reads it in the database, and afterwards it is gone."""
    await ask(client)
    (sealed,) = await content(sessions)
    assert sealed is not None
    assert b"10.0.0.1" not in sealed
    await runner.run()
    assert await content(sessions) == [None]


async def test_a_failure_tells_every_error(client: AsyncClient, runner: Runner) -> None:
    """A job that fails has the problem that the request would have had, and changed nothing."""
    place = await ask(client, b"name,address,site\na,10.0.0.1,\nb,8.8.8.8,mars\n")
    await runner.run()
    failed = await look(client, place)
    assert failed["status"] == "failed"
    assert failed["problem"]["status"] == 422
    pointers = [error["pointer"] for error in failed["problem"]["errors"]]
    assert pointers == ["/devices/1/address", "/devices/1/site"]
    assert await devices(client) == 0


async def test_a_fault_of_ours_fails_the_job_alone(
    client: AsyncClient, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody expected is in the log and not in the answer; the next job is done."""
    place = await ask(client)
    await instead(runner, Breaks(runner.works[KIND])).run()
    failed = await look(client, place)
    assert failed["problem"]["status"] == 500
    assert "secret" not in str(failed)
    assert "ZeroDivisionError" in caplog.text
    again = await ask(client)
    await runner.run()
    assert (await look(client, again))["status"] == "succeeded"


async def test_progress_is_seen_while_it_runs(
    client: AsyncClient, runner: Runner, waits: Waits
) -> None:
    """How far a job is can be seen before anything of it is."""
    place = await ask(client)
    running = asyncio.create_task(instead(runner, waits).run())
    await waits.reached.wait()
    while (seen := await look(client, place))["done"] < 4:
        await asyncio.sleep(0.01)
    assert (seen["status"], seen["total"]) == ("running", 4)
    assert await devices(client) == 0
    waits.go_on.set()
    await running
    assert await devices(client) == 2


class TestCancel:
    async def test_one_that_waits(
        self, client: AsyncClient, runner: Runner, sessions: Sessions
    ) -> None:
        """A job that nobody began ends at once, with what it should have worked on."""
        place = await ask(client)
        assert (await client.post(f"{place}/cancel")).json()["status"] == "cancelled"
        assert await content(sessions) == [None]
        await runner.run()
        assert await devices(client) == 0
        assert (await client.post(f"{place}/cancel")).status_code == 409

    async def test_one_that_runs(self, client: AsyncClient, runner: Runner, waits: Waits) -> None:
        """A job that runs stops, and nothing of it stays."""
        place = await ask(client)
        running = asyncio.create_task(instead(runner, waits).run())
        await waits.reached.wait()
        asked = await client.post(f"{place}/cancel")
        assert (asked.status_code, asked.json()["cancelling"]) == (202, True)
        await running
        assert (await look(client, place))["status"] == "cancelled"
        assert await devices(client) == 0


class TestWorkersThatEnd:
    async def lose(self, sessions: Sessions) -> None:
        """Have the last sign of the worker be too old."""
        async with sessions.begin() as session:
            await session.execute(update(Job).values(seen_at=now() - timedelta(minutes=2)))

    async def test_a_worker_that_is_told_to_end_puts_its_job_back(
        self, client: AsyncClient, runner: Runner, waits: Waits
    ) -> None:
        """Another worker begins it anew."""
        place = await ask(client)
        running = asyncio.create_task(instead(runner, waits).run())
        await waits.reached.wait()
        running.cancel()
        await asyncio.wait({running})
        assert (await look(client, place))["status"] == "pending"
        await runner.run()
        assert (await look(client, place))["status"] == "succeeded"

    async def test_a_lost_job_is_done_once(
        self, client: AsyncClient, runner: Runner, waits: Waits, sessions: Sessions
    ) -> None:
        """Another worker takes up the job of one that was not seen; if that lives, it is late."""
        place = await ask(client)
        slow = Runner(sessions, runner.vault, {KIND: waits}, pulse=60)
        late = asyncio.create_task(slow.run())
        await waits.reached.wait()
        await self.lose(sessions)
        async with sessions.begin() as session:
            taken = await session.scalar(queries.claim(now(), now() - timedelta(minutes=1)))
            assert taken is not None
        waits.go_on.set()
        await late
        assert await devices(client) == 0
        await self.lose(sessions)
        await runner.run()
        assert (await look(client, place))["status"] == "succeeded"
        assert await devices(client) == 2

    async def test_what_kills_every_worker_is_given_up(
        self, client: AsyncClient, runner: Runner, sessions: Sessions
    ) -> None:
        """A job that no worker survives fails, and the others are done."""
        place = await ask(client)
        async with sessions.begin() as session:
            await session.execute(update(Job).values(attempt=ATTEMPTS))
        await runner.run()
        failed = await look(client, place)
        assert failed["status"] == "failed"
        assert "survive" in failed["problem"]["detail"]


class TestWhoseJobs:
    async def test_own_and_all(self, client: AsyncClient, log_in: Login) -> None:
        """People see and cancel their own jobs, admins those of all."""
        operator = await log_in(Role.OPERATOR, name="operator")
        other = await log_in(Role.OPERATOR, name="other")
        place = await ask(operator)
        assert (await look(operator, JOBS))["count"] == 1
        assert (await look(other, JOBS))["count"] == 0
        assert (await other.get(place)).status_code == 404
        assert (await other.post(f"{place}/cancel")).status_code == 404
        assert (await look(client, f"{JOBS}?status=pending"))["count"] == 1
        assert (await client.post(f"{place}/cancel")).status_code == 202

    async def test_who_is_gone_does_nothing(
        self, log_in: Login, client: AsyncClient, runner: Runner, sessions: Sessions
    ) -> None:
        """What somebody asked for is not done once they may do nothing any more."""
        operator = await log_in(Role.OPERATOR, name="operator")
        place = await ask(operator)
        async with sessions.begin() as session:
            gone = col(User.name) == "operator"
            await session.execute(update(User).where(gone).values(active=False))
        await runner.run()
        assert (await look(client, place))["problem"]["status"] == 403
        assert await devices(client) == 0

    async def test_a_token_does_what_it_may(self, service: Service, runner: Runner) -> None:
        """A job of a service is done with the rights of its token and no others."""
        writer = await service(Permission.DEVICES_WRITE, Permission.DEVICES_READ)
        response = await writer.post(f"{IMPORT}/yaml?async=true", content=b"sites: [{name: x}]")
        await runner.run()
        failed = await look(writer, response.headers["location"])
        assert failed["problem"]["status"] == 403

    async def test_nobody_has_any_number(self, client: AsyncClient) -> None:
        """What waits is kept, so there is a bound on it."""
        for _ in range(5):
            await ask(client)
        response = await client.post(f"{IMPORT}/csv?async=true", content=TABLE)
        assert response.status_code == 429
        assert "retry-after" in response.headers


async def test_old_jobs_are_forgotten(
    client: AsyncClient, runner: Runner, sessions: Sessions
) -> None:
    """Jobs that ended long ago are deleted, and those that have not ended never."""
    ended = await ask(client)
    await runner.run()
    waiting = await ask(client)
    async with sessions.begin() as session:
        long_ago = now() - timedelta(days=31)
        await session.execute(update(Job).values(created_at=long_ago))
        await session.execute(queries.old(now() - KEPT))
        assert await session.scalar(select(func.count()).select_from(Job)) == 2
        finished = col(Job.finished_at).is_not(None)
        await session.execute(update(Job).where(finished).values(finished_at=long_ago))
        await session.execute(queries.old(now() - KEPT))
    assert (await client.get(ended)).status_code == 404
    assert (await look(client, waiting))["status"] == "pending"
