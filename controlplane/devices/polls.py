"""Polls out of turn: which devices are to be polled as they sent a trap, and what a poll told.

What a poll finds becomes no series (decision 29). Facts and interfaces are taken up from its
samples as from those of Prometheus, and how its collectors fared is kept until the next one.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import or_, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from controlplane.clients.prometheus import Sample
from controlplane.database import now
from controlplane.devices import facts
from controlplane.devices.interfaces import learning, ports
from controlplane.devices.models import FACTS, Device, DevicePoll

log = logging.getLogger(__name__)

SAID = "chm_device_info"
FAMILIES = (SAID, *ports.NAMES, ports.WHOLE)
"""What is learned from."""

# What waits longer has been scraped meanwhile: after a storm of traps that is soon enough.
STALE = timedelta(minutes=2)
TAKE = text("SELECT pg_advisory_xact_lock(:key)")


async def want(session: AsyncSession, wanted: Mapping[UUID, str]) -> None:
    """Have devices polled soon; each is given with the trap that it sent."""
    moment = now()
    # In one order, so that two who want the same devices never wait for each other.
    rows = [
        {"device_id": device, "wanted_at": moment, "trap": wanted[device]}
        for device in sorted(wanted)
    ]
    if not rows:
        return
    statement = insert(DevicePoll).values(rows)
    new = {name: statement.excluded[name] for name in ("wanted_at", "trap")}
    await session.execute(statement.on_conflict_do_update(index_elements=["device_id"], set_=new))


async def again(session: AsyncSession, name: str, trap: str) -> None:
    """Have a device polled that could not be when it was due, if it is still there."""
    device = await session.scalar(select(Device.id).where(col(Device.name) == name))
    if device is not None:
        await want(session, {device: trap})


async def claim(session: AsyncSession, pause: timedelta) -> tuple[str, str] | None:
    """Give the next device to poll and its trap, None where none is due; it is this caller's.

    A device is due where its last poll for a trap began a pause ago.
    """
    moment = now()
    due = (
        select(DevicePoll.device_id)
        .where(col(DevicePoll.wanted_at) > moment - STALE)
        .where(or_(col(DevicePoll.begun_at).is_(None), col(DevicePoll.begun_at) < moment - pause))
        .order_by(col(DevicePoll.wanted_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claimed = (
        update(DevicePoll)
        .where(col(DevicePoll.device_id) == due.scalar_subquery())
        .values(wanted_at=None, begun_at=moment)
        .returning(col(DevicePoll.device_id), col(DevicePoll.trap))
    )
    if (row := (await session.execute(claimed)).one_or_none()) is None:
        return None
    name = await session.scalar(select(Device.name).where(Device.id == row.device_id))
    return (name, row.trap) if name is not None else None


async def keep(
    session: AsyncSession, device: Device, at: datetime, report: dict[str, Any], exposition: str
) -> None:
    """Keep the report of a poll, and take up what the device says of itself and its interfaces."""
    values: dict[str, Any] = {"at": at, "report": report}
    if told := _read(exposition, device.name, at):
        await _take_up(session, told, at)
        values["told_at"] = at
    statement = insert(DevicePoll).values(device_id=device.id, trap="", **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["device_id"], set_=values)
    )


async def _take_up(session: AsyncSession, told: list[Sample], at: datetime) -> None:
    # A learner that finds another at work leaves it to the next time; of a poll there is none.
    await session.execute(TAKE, {"key": facts.TURN})
    await facts.take_up(session, [one for one in told if one.labels["__name__"] == SAID])
    await session.execute(TAKE, {"key": learning.TURN})
    found = ports.told((one for one in told if one.labels["__name__"] != SAID), learning.MOST)
    await learning.take_up(session, found, at)


async def last(session: AsyncSession, device: Device) -> DevicePoll | None:
    """Give the last poll of a device that told something, or why not."""
    poll = await session.get(DevicePoll, device.id, populate_existing=True)
    return poll if poll is not None and poll.report is not None else None


def _read(exposition: str, device: str, at: datetime) -> list[Sample]:
    """Give samples as Prometheus would; none where the exporter wrote what cannot be read."""
    try:
        return list(_labelled(exposition, device, at.timestamp()))
    except ValueError as error:
        log.warning("a poll of %s told what cannot be read: %s", device, error)
        return []


def _labelled(exposition: str, device: str, at: float) -> Iterator[Sample]:
    fared: list[float] = []
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            labels = {**sample.labels, "__name__": sample.name, "device": device}
            if sample.name == SAID:
                yield Sample(_own(labels), at, at)
            elif sample.name == ports.WHOLE:
                fared.append(sample.value)
            else:
                yield Sample(labels, at, sample.value)
    if fared:
        yield Sample({"__name__": ports.WHOLE, "device": device}, at, min(fared))


def _own(labels: Mapping[str, str]) -> dict[str, str]:
    """Call the words of a device as Prometheus does where its target has such labels, too."""
    return {f"exported_{name}" if name in FACTS else name: text for name, text in labels.items()}
