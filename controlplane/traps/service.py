"""Events taken in, and forgotten in time."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.database import now
from controlplane.devices import queries as devices
from controlplane.traps import queries
from controlplane.traps.schemas import EventTold


async def receive(session: AsyncSession, events: Sequence[EventTold]) -> int:
    """Keep what an exporter tells; told again it changes nothing. Give how many there were."""
    received = now()
    names = {event.device for event in events}
    found = await session.execute(devices.ids(names))
    ids = dict(found.tuples().all())
    rows = [
        {
            **event.model_dump(),
            "source": str(event.source),
            "received_at": received,
            "device_id": ids.get(event.device),
        }
        for event in events
    ]
    if rows:
        await session.execute(queries.add(rows))
    return len(rows)


async def forget(session: AsyncSession, kept: timedelta) -> None:
    """Remove events that were received longer ago than they are kept."""
    await session.execute(queries.old(now() - kept))
