"""Do jobs: the work and its success are one transaction, how far it is stands in others.

A worker that is killed leaves nothing of the work. Its job is taken up again when it was not seen
for LOST; should it live after all, its transaction finds the job gone and is rolled back. So
every kind of work that does all it does in the session it is given is done once or not at all.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.errors import ChmError, Conflict
from controlplane.jobs import owners, queries, service
from controlplane.jobs.models import Job, Status
from controlplane.jobs.progress import Progress
from controlplane.vault import Sealed, Vault

log = logging.getLogger(__name__)

LOST = timedelta(seconds=60)
ATTEMPTS = 3  # a job that three workers did not survive is not given to a fourth
PULSE = 1.0  # seconds between two notes of how far a job is


class Work(Protocol):
    """Does all it does in the session, and gives the result as JSON has it."""

    async def __call__(
        self,
        session: AsyncSession,
        actor: Actor,
        content: str,
        options: Mapping[str, Any],
        progress: Progress,
    ) -> dict[str, Any]:
        """Do the work, or raise ChmError with what is wrong."""


@dataclass(frozen=True)
class Runner:
    """Takes up jobs and does them, one after the other."""

    sessions: async_sessionmaker[AsyncSession]
    vault: Vault
    works: Mapping[str, Work]
    pulse: float = PULSE

    async def run(self) -> None:
        """Do all jobs that wait, and those whose workers were lost."""
        while (job := await self._claim()) is not None:
            if job.cancelling:
                await self._finish(job, Status.CANCELLED)
            elif job.attempt > ATTEMPTS:
                await self._fail(job, ChmError(f"{ATTEMPTS} workers did not survive this job"))
            else:
                await self._do(job)

    async def _claim(self) -> Job | None:
        async with self.sessions.begin() as session:
            moment = now()
            claimed: Job | None = await session.scalar(queries.claim(moment, moment - LOST))
            return claimed

    async def _do(self, job: Job) -> None:
        progress = Progress()
        work = asyncio.create_task(self._work(job, progress))
        try:
            await self._watch(job, work, progress)
        except asyncio.CancelledError:  # the worker ends
            await self._stop(work)
            async with self.sessions.begin() as session:
                await session.execute(queries.put_back(job))
            raise
        finally:
            await self._stop(work)
        await self._conclude(job, work)

    async def _watch(self, job: Job, work: asyncio.Task[None], progress: Progress) -> None:
        while not (await asyncio.wait({work}, timeout=self.pulse))[0]:
            async with self.sessions.begin() as session:
                noted = queries.seen(job, now(), progress.done, progress.total)
                stop = await session.scalar(noted)
            if stop is not False:  # somebody wants it to, or the job is no longer ours
                work.cancel()

    async def _stop(self, work: asyncio.Task[None]) -> None:
        work.cancel()
        await asyncio.wait({work})

    async def _conclude(self, job: Job, work: asyncio.Task[None]) -> None:
        if work.cancelled():
            await self._finish(job, Status.CANCELLED)
        elif isinstance(error := work.exception(), ChmError):
            await self._fail(job, error)
        elif error is not None:
            log.error("job %s (%s) failed", job.id, job.kind, exc_info=error)
            await self._fail(job, ChmError("the log has the details"))

    async def _work(self, job: Job, progress: Progress) -> None:
        async with self.sessions.begin() as session:
            actor = await owners.actor(session, job)
            work = self.works[job.kind]
            result = await work(session, actor, self._content(job), job.options, progress)
            values = {"result": result, "done": progress.done, "total": progress.total}
            if await session.scalar(queries.finish(job, Status.SUCCEEDED, now(), **values)) is None:
                raise Conflict("another worker has taken up this job")

    def _content(self, job: Job) -> str:
        content = job.content or b""
        sealed = Sealed(job.key_version, job.data_key, {"content": content})
        return self.vault.open(service.place(job), sealed)["content"]

    async def _fail(self, job: Job, error: ChmError) -> None:
        problem = {
            "type": "about:blank",
            "title": error.title,
            "status": error.status,
            "detail": error.detail,
            "errors": [
                {"pointer": p.pointer, "code": p.code, "message": p.message} for p in error.problems
            ],
        }
        await self._finish(job, Status.FAILED, problem=problem)

    async def _finish(self, job: Job, status: Status, **values: Any) -> None:
        async with self.sessions.begin() as session:
            await session.execute(queries.finish(job, status, now(), **values))
