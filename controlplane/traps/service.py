"""Events taken in, and forgotten in time."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.database import now
from controlplane.devices import names
from controlplane.traps import queries
from controlplane.traps.schemas import EventTold


async def receive(session: AsyncSession, events: Sequence[EventTold]) -> int:
    """Keep what an exporter tells; told again it changes nothing. Give how many there were."""
    received = now()
    holders = await names.holders(session, {event.device for event in events})
    rows = []
    for event in events:
        holder = holders.at(event.device, event.at)
        rows.append(
            {
                **event.model_dump(),
                "source": str(event.source),
                "received_at": received,
                "device": holder.name if holder else event.device,
                "device_id": holder and holder.id,
            }
        )
    if rows:
        await session.execute(queries.add(rows))
    return len(rows)


async def forget(session: AsyncSession, kept: timedelta) -> None:
    """Remove events that were received longer ago than they are kept."""
    await session.execute(queries.old(now() - kept))
