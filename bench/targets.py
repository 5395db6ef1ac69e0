"""What ten thousand devices cost those who ask all day: the targets, the snapshot, and the intent.

In one process on a PostgreSQL of its own, over the real application without a socket. `cold` is a
replica that has just started, `changed` the first answer after a device became another. Where a
bound is missed it ends with an error.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import event

from bench._installation import migrated
from bench.imports import DEVICES, SITES, inventory
from controlplane.app import create_app
from controlplane.auth import service_tokens
from controlplane.auth.actor import shell
from controlplane.auth.permissions import Permission
from controlplane.cli.serve import settle
from controlplane.devices import service as devices
from controlplane.devices.addresses import Reach
from controlplane.devices.schemas import DeviceUpdate
from controlplane.settings import Settings
from controlplane.targets.exporters import service as exporters
from controlplane.targets.exporters.schemas import ExporterCreate
from controlplane.transfer import service as transfer
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources.draft import Given
from exporter.inventory import snapshot

TARGETS, SNAPSHOT, INTENT = "/api/v1/targets/0", "/api/v1/exporter/snapshot", "/metrics/intent"
BUDGET = {"targets": 0.2, "changes": 0.1}  # seconds
EXPORTERS = 4
PERMISSIONS = (Permission.TARGETS_READ, Permission.SNAPSHOT_READ, Permission.INTENT_READ)
REPEATS = 5

Ask = Callable[[], Awaitable[Response]]


async def fill(app: FastAPI, settings: Settings) -> str:
    """Import the devices, register exporters, and give a service's token."""
    given = Given(inventory())
    async with app.state.sessions.begin() as session:
        reach = Reach.of(settings)
        report = await transfer.load(session, shell(), app.state.vault, reach, given, ImportQuery())
        if report.errors:
            raise RuntimeError(report.errors[0].message)
        for number in range(1, EXPORTERS):
            data = ExporterCreate(name=f"e{number}", address=f"10.255.0.{number}:9116")
            await exporters.create(session, shell(), settings, data)
        return await service_tokens.issue(session, shell(), "bench", PERMISSIONS)


async def change(app: FastAPI, number: int) -> None:
    async with app.state.sessions.begin() as session:
        data = DeviceUpdate(port=1000 + number)
        await devices.update(session, shell(), f"device-{number}", data)


@asynccontextmanager
async def replica(settings: Settings, token: str) -> AsyncIterator[tuple[FastAPI, AsyncClient]]:
    app = create_app(settings)
    settle()
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        app.router.lifespan_context(app),
        AsyncClient(
            transport=ASGITransport(app), base_url=settings.controlplane_url, headers=headers
        ) as client,
    ):
        yield app, client


@dataclass
class Watched:
    """An application that is asked: what is over its bound is noted."""

    app: FastAPI
    over: list[str]

    async def timed(self, name: str, ask: Ask, budget: float | None = None) -> Response:
        """Ask once; print how long it took, the CPU time, the statements, and the bytes."""
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            sent.append(statement)

        engine = self.app.state.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        started, busy = time.perf_counter(), time.process_time()
        answer = await ask()
        took, cpu = time.perf_counter() - started, time.process_time() - busy
        event.remove(engine, "before_cursor_execute", note)
        if answer.status_code not in {200, 304}:
            raise RuntimeError(answer.text)
        verdict = ""
        if budget and took > budget:
            self.over.append(name)
            verdict = f"  over {budget * 1000:g} ms"
        size = len(answer.content)
        print(
            f"  {name:<34} {took * 1000:7.1f} ms, CPU {cpu * 1000:7.1f} ms"
            f" {len(sent):3} statements {size:11,} B{verdict}"
        )
        return answer


async def measure(settings: Settings, token: str) -> list[str]:
    """Ask for everything cold, unchanged and changed; name what was over its bound."""
    over: list[str] = []
    for name, path in (("targets", TARGETS), ("snapshot", SNAPSHOT), ("intent", INTENT)):
        budget = BUDGET["targets"] if name == "targets" else None
        async with replica(settings, token) as (app, client):
            watched, ask = Watched(app, over), partial(client.get, path)
            await watched.timed(f"{name}, cold", ask, budget)
            await asyncio.sleep(0.1)  # the watch has looked
            await ask()
            await watched.timed(f"{name}, nothing changed", ask, budget)
            for number in range(REPEATS):
                await change(app, number)
                await watched.timed(f"{name}, changed", ask, budget)
    async with replica(settings, token) as (app, client):
        await changes(Watched(app, over), client)
    return over


async def changes(watched: Watched, client: AsyncClient) -> None:
    """Follow the snapshot as an exporter does: by changes, checked against the revision."""
    for name in ("", "e1"):
        params = {"exporter": name} if name else {}
        held = snapshot.read((await client.get(SNAPSHOT, params=params)).content)
        of = "of one exporter" if name else "of all devices"
        for number in range(REPEATS):
            await change(watched.app, 100 + number)
            since = {**params, "since": held.snapshot.revision}
            ask = partial(client.get, SNAPSHOT, params=since)
            answer = await watched.timed(f"changes {of}", ask, BUDGET["changes"])
            started = time.perf_counter()
            held = snapshot.read(answer.content, held)
            took = time.perf_counter() - started
        print(f"  {'taken up by the exporter':<34} {took * 1000:7.1f} ms")


async def run(settings: Settings) -> list[str]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        token = await fill(app, settings)
    return await measure(settings, token)


def main() -> None:
    print(f"\n{DEVICES} devices at {SITES} sites, {EXPORTERS} exporters")
    with migrated() as settings:
        over = asyncio.run(run(settings))
    if over:
        raise SystemExit(f"over the bound: {', '.join(dict.fromkeys(over))}")


if __name__ == "__main__":
    main()
