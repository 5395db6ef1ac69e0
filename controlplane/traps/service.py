"""Events taken in, and forgotten in time."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.database import now
from controlplane.devices import names, polls
from controlplane.devices.names import Holders
from controlplane.traps import queries
from controlplane.traps.schemas import EventTold

# Of the state of its sender it says nothing, and where a poll tries a credential that the device
# does not know, that poll would be the cause of the next one.
IN_VAIN = "1.3.6.1.6.3.1.1.5.5"  # authenticationFailure


async def receive(session: AsyncSession, events: Sequence[EventTold]) -> int:
    """Keep what an exporter tells; told again it changes nothing. Give how many there were.

    Devices that sent traps a moment ago are to be polled.
    """
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
        await polls.want(session, dict(_senders(events, holders, received - polls.STALE)))
    return len(rows)


def _senders(
    events: Sequence[EventTold], holders: Holders, since: datetime
) -> Iterator[tuple[UUID, str]]:
    """Give the devices that sent traps since a moment, and what they sent."""
    for event in events:
        holder = holders.at(event.device, event.at)
        if holder is not None and event.at > since and event.oid != IN_VAIN:
            yield holder.id, event.trap


async def forget(session: AsyncSession, kept: timedelta) -> None:
    """Remove events that were received longer ago than they are kept."""
    await session.execute(queries.old(now() - kept))
