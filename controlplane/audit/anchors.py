"""Anchors: the newest entry and its code, noted every hour where the database cannot reach.

A chain that lost its tail is whole in itself. What was noted elsewhere tells: a line in the log,
a metric, and a file in the data folder, which `chm audit verify` compares with.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane import database, files
from controlplane.audit import queries, verification
from controlplane.audit.chain import Head
from controlplane.errors import ConfigurationError, Unavailable

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 3600.0


@dataclass(frozen=True)
class Gauges:
    """What Prometheus remembers of the log, for as long as it keeps samples."""

    newest: Gauge
    rewritable: Gauge

    @classmethod
    def register(cls, registry: CollectorRegistry) -> "Gauges":
        """Make them."""
        return cls(
            Gauge(
                "chm_audit_anchor_entry",
                "The number of the entry at which the audit log was anchored last, by its code.",
                ("mac",),
                registry=registry,
            ),
            Gauge(
                "chm_audit_rewritable",
                "1 where the database role of the application could rewrite the audit log.",
                registry=registry,
            ),
        )


async def keep(sessions: async_sessionmaker[AsyncSession], file: Path, gauges: Gauges) -> None:
    """Note an anchor now and every hour, until cancelled; what fails is tried again."""
    while True:
        try:
            async with sessions() as session:
                await database.reach(session)
                await drop(session, file, gauges)
        except (Unavailable, SQLAlchemyError, OSError) as error:
            log.warning("the audit log cannot be anchored: %s", error)
        await asyncio.sleep(INTERVAL_SECONDS)


async def drop(session: AsyncSession, file: Path, gauges: Gauges) -> None:
    """Note the newest entry."""
    rewritable = await verification.can_rewrite(session)
    gauges.rewritable.set(rewritable)
    if rewritable:
        log.warning("the database role of the application could rewrite the audit log")
    newest = await session.scalar(queries.newest())
    if newest is None:
        return
    head = Head(newest.seq, newest.mac)
    log.info("audit log anchored at entry %d, code %s", head.seq, head.mac)
    gauges.newest.clear()
    gauges.newest.labels(head.mac[:16]).set(head.seq)
    await asyncio.to_thread(write, file, head)


def write(file: Path, head: Head) -> None:
    """Add an anchor to the file; one that is in it stays as it was noted first."""
    noted = read(file)
    if head.seq in noted:
        return
    lines = [
        json.dumps({"entry": seq, "mac": mac})
        for seq, mac in [*noted.items(), (head.seq, head.mac)]
    ]
    files.replace(file, ("\n".join(lines) + "\n").encode(), files.PRIVATE)


def read(file: Path) -> dict[int, str]:
    """Give the anchors of a file, none where there is no file; raise ConfigurationError."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    try:
        anchors = [json.loads(line) for line in lines]
        return {int(anchor["entry"]): str(anchor["mac"]) for anchor in anchors}
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{file} holds something else than anchors") from None
