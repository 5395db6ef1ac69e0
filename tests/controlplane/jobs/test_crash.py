"""A real worker that is killed in the middle of an import."""

import asyncio
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.database import now
from controlplane.devices.addresses import Reach
from controlplane.jobs.models import Job
from controlplane.jobs.runner import Runner
from controlplane.settings import Settings
from controlplane.transfer.work import KIND, Import
from tests.controlplane.conftest import Sessions

DEVICES = 10_000
PATIENCE = 120  # seconds for a process to start and to be in the middle of its work
IN_THE_MIDDLE = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND xact_start IS NOT NULL"
    " AND query ILIKE 'INSERT INTO device%'"
)


def start(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """Start a worker as `chm worker` does."""
    environment = {
        "PATH": os.environ["PATH"],
        "CHM_DATA": str(settings.data),
        "CHM_MANAGEMENT_NETWORKS": "10.0.0.0/8",
        "CHM_ALERTMANAGER_URL": settings.alertmanager_url,
        "CHM_PROMETHEUS_URL": "http://127.0.0.1:9",
        "CHM_DATABASE_URL": secret(settings.database_url),
        "CHM_DATABASE_OWNER_URL": secret(settings.database_owner_url),
    }
    command = [sys.executable, "-c", "from controlplane.cli import main; main()", "worker"]
    with log.open("wb") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=out)


def secret(value: object) -> str:
    reveal = getattr(value, "get_secret_value", None)
    return str(reveal() if reveal else value)


async def until_in_the_middle(owner: AsyncEngine, worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        async with owner.connect() as connection:
            if (await connection.execute(IN_THE_MIDDLE)).scalar_one():
                return
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline, "the worker never wrote a device"
        await asyncio.sleep(0.01)


async def ask(client: AsyncClient) -> str:
    """Ask for an import, and give where its job is."""
    rows = (f"d{n},10.0.{n >> 8}.{n & 255}\n" for n in range(DEVICES))
    response = await client.post(
        "/api/v1/devices/import/csv?async=true",
        content=("name,address\n" + "".join(rows)).encode(),
    )
    assert response.status_code == 202, response.text
    place: str = response.headers["location"]
    return place


async def test_a_killed_worker_leaves_nothing_and_its_job_is_done(  # noqa: PLR0917 - fixtures
    app: FastAPI,
    client: AsyncClient,
    sessions: Sessions,
    owner: AsyncEngine,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """Of ten thousand devices none is there after the kill, and all are once another did it."""
    place = await ask(client)
    worker = start(settings, tmp_path / "worker.log")
    try:
        await until_in_the_middle(owner, worker)
        seen = (await client.get(place)).json()
    finally:
        worker.kill()
        worker.wait()

    assert seen["status"] == "running"
    assert (await client.get("/api/v1/devices")).json()["count"] == 0
    assert (await client.get("/api/v1/audit?action=data.import")).json()["count"] == 0
    async with sessions.begin() as session:
        await session.execute(update(Job).values(seen_at=now() - timedelta(minutes=2)))
    state = app.state
    work = Import(state.vault, Reach.of(settings))
    await Runner(sessions, state.vault, {KIND: work}).run()
    assert (await client.get(place)).json()["status"] == "succeeded"
    assert (await client.get("/api/v1/devices")).json()["count"] == DEVICES
    assert (await client.get("/api/v1/audit?action=data.import")).json()["count"] == 1


async def test_a_worker_that_is_told_to_end_ends(
    client: AsyncClient, owner: AsyncEngine, settings: Settings, tmp_path: Path
) -> None:
    """It ends by itself, and its job is either done or waits for another worker."""
    place = await ask(client)
    worker = start(settings, tmp_path / "worker.log")
    try:
        await until_in_the_middle(owner, worker)
        worker.terminate()
        code = await asyncio.to_thread(worker.wait, PATIENCE)
    finally:
        worker.kill()
        worker.wait()

    assert code == 0, (tmp_path / "worker.log").read_text(encoding="utf-8")
    status = (await client.get(place)).json()["status"]
    count = (await client.get("/api/v1/devices")).json()["count"]
    assert (status, count) in {("pending", 0), ("succeeded", DEVICES)}
