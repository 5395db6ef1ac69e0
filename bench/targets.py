"""What ten thousand devices cost those who ask all day: the targets, the snapshot, and the intent.

In one process on a PostgreSQL of its own, over the real application without a socket. `cold` is a
replica that has just started, `changed` the first answer after a device became another.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

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


async def timed(app: FastAPI, name: str, ask: Ask, budget: float | None = None) -> Response:
    """Ask once; print how long it took, how many statements, and how many bytes."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    engine = app.state.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    started = time.perf_counter()
    answer = await ask()
    took = time.perf_counter() - started
    event.remove(engine, "before_cursor_execute", note)
    if answer.status_code not in {200, 304}:
        raise RuntimeError(answer.text)
    verdict = f"  over {budget * 1000:g} ms" if budget and took > budget else ""
    size = len(answer.content)
    print(f"  {name:<34} {took * 1000:7.1f} ms {len(sent):3} statements {size:11,} B{verdict}")
    return answer


async def measure(settings: Settings, token: str) -> None:
    for name, path in (("targets", TARGETS), ("snapshot", SNAPSHOT), ("intent", INTENT)):
        budget = BUDGET["targets"] if name == "targets" else None
        async with replica(settings, token) as (app, client):
            await timed(app, f"{name}, cold", lambda: client.get(path), budget)  # noqa: B023 - asked at once
            await asyncio.sleep(0.1)  # the watch has looked
            await client.get(path)
            await timed(app, f"{name}, nothing changed", lambda: client.get(path), budget)  # noqa: B023 - ...
            for number in range(REPEATS):
                await change(app, number)
                await timed(app, f"{name}, changed", lambda: client.get(path), budget)  # noqa: B023 - ...
    async with replica(settings, token) as (app, client):
        await changes(app, client)


async def changes(app: FastAPI, client: AsyncClient) -> None:
    """Follow the snapshot as an exporter does: by changes, checked against the revision."""
    for name in ("", "e1"):
        params = {"exporter": name} if name else {}
        held = snapshot.read((await client.get(SNAPSHOT, params=params)).content)
        of = "of one exporter" if name else "of all devices"
        for number in range(REPEATS):
            await change(app, 100 + number)
            since = {**params, "since": held.snapshot.revision}
            answer = await timed(
                app,
                f"changes {of}",
                lambda: client.get(SNAPSHOT, params=since),  # noqa: B023 - asked at once
                BUDGET["changes"],
            )
            started = time.perf_counter()
            held = snapshot.read(answer.content, held)
            took = time.perf_counter() - started
        print(f"  {'taken up by the exporter':<34} {took * 1000:7.1f} ms")


async def run(settings: Settings) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        token = await fill(app, settings)
    await measure(settings, token)


def main() -> None:
    print(f"\n{DEVICES} devices at {SITES} sites, {EXPORTERS} exporters")
    with migrated() as settings:
        asyncio.run(run(settings))


if __name__ == "__main__":
    main()
