"""What an import of ten thousand devices takes, and what exporting them takes, in every format.

In one process on a PostgreSQL of its own, without HTTP: reading, checking, writing, the audit log
of every row, and the commit.
"""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bench._installation import migrated
from controlplane import database
from controlplane.audit import session as audited
from controlplane.auth import keys
from controlplane.auth.actor import shell
from controlplane.devices.addresses import Reach
from controlplane.settings import Settings
from controlplane.transfer import service, sources
from controlplane.transfer.formats import Format
from controlplane.transfer.schemas import ExportQuery, ImportQuery
from controlplane.transfer.sources import Source
from controlplane.vault import Vault, ring

DEVICES, SITES = 10_000, 100
BUDGET = 10.0  # seconds

Work = Callable[[AsyncSession], Awaitable[Any]]


def inventory() -> dict[str, Any]:
    """Make a tree of sites and devices, each with two credentials, two tags and a parent."""
    return {
        "credentials": [
            {"name": name, "version": 2, "community": "public"} for name in ("one", "two")
        ],
        "sites": [
            {"name": f"site-{n}", "parent": f"site-{n // 10}" if n else None} for n in range(SITES)
        ],
        "device_roles": [{"name": "access"}, {"name": "core"}],
        "devices": [
            {
                "name": f"device-{n}",
                "address": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
                "site": f"site-{n % SITES}",
                "role": "access",
                "vendor": "Cisco",
                "tags": ["gold", "lab"],
                "credentials": ["one", "two"],
                "parents": [f"device-{n // 10}"] if n else [],
            }
            for n in range(DEVICES)
        ],
    }


async def measure(settings: Settings) -> None:
    """Import, import again, change, and export; print what each took."""
    engine = database.connect(settings)
    sessions = audited.sessions(engine, keys.load(settings.secrets / "audit.key"))
    vault, reach = Vault(ring.from_settings(settings)), Reach.of(settings)
    document = inventory()

    def load(query: ImportQuery = ImportQuery()) -> Work:  # noqa: B008 - it is frozen by nobody changing it
        content = json.dumps(document)

        async def work(session: AsyncSession) -> None:
            given = sources.read(Source.JSON, content, query)
            report = await service.load(session, shell(), vault, reach, given, query)
            if report.errors:
                raise RuntimeError(report.errors[0].message)

        return work

    def dump(form: Format) -> Work:
        async def work(_session: AsyncSession) -> None:
            query = ExportQuery(format=form)
            await service.export(sessions, shell(), query, io.StringIO())

        return work

    await timed(sessions, "on trial", load(ImportQuery(dry_run=True)))
    await timed(sessions, "all are new", load())
    await timed(sessions, "none differs", load())
    for device in document["devices"]:
        device["role"] = "core"
    await timed(sessions, "all differ", load())
    for form in Format:
        await timed(sessions, f"export as {form}", dump(form))
    await engine.dispose()


async def timed(sessions: async_sessionmaker[AsyncSession], name: str, work: Work) -> None:
    """Run work in a transaction; print the seconds, and those of them that were our CPU's."""
    started, busy = time.perf_counter(), time.process_time()
    async with sessions.begin() as session:
        await work(session)
    took, cpu = time.perf_counter() - started, time.process_time() - busy
    verdict = "" if took <= BUDGET else f"  over {BUDGET:g} s"
    print(f"  {name:<16} {took:6.1f} s, CPU of this process {cpu:5.1f} s{verdict}")


def main() -> None:
    print(f"\n{DEVICES} devices at {SITES} sites")
    with migrated() as settings:
        asyncio.run(measure(settings))


if __name__ == "__main__":
    main()
