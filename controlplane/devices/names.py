"""Whose a name is, and was: a device that gives one up keeps what was told of it under that name.

Prometheus and Alertmanager know devices by name, and tell of an old one for some minutes. What they
tell is of the device that had the name at that moment, though another has taken it by now.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, Uuid, column, delete, exists, func, table, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from controlplane.database import now, one_of
from controlplane.devices import queries
from controlplane.devices.models import Device, FormerName

# "CHMA": whoever changes alerts takes turns, and sees the history as the one before left it.
ALERTS_TURN = text("SELECT pg_advisory_xact_lock(1128811841)")
# What capabilities above this one keep of devices, under the name by which people look for it.
FOLLOWING = tuple(
    table(name, column("device_id", Uuid), column("device", String))
    for name in ("alerts", "notices", "events")
)
# Whoever writes several notices does so in this order, and two never wait for each other.
NOTICES = table("notices", *map(column, ("device_id", "fingerprint", "starts_at", "ends_at")))
ALERTS = table("alerts", *map(column, ("device_id", "ends_at")))
SERVED = table("served_targets", column("devices", ARRAY(String)))
LATE = timedelta(minutes=15)  # Prometheus forgets a series within five, Alertmanager an alert soon
KEPT = timedelta(days=32)  # a day longer than a preview of a rule looks back, by the names of then


@dataclass(frozen=True)
class Holder:
    """A device, and what it is called now."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Holders:
    """Who has each of some names, and who had it until when, the first one first."""

    now: Mapping[str, Holder]
    former: Mapping[str, list[tuple[datetime, Holder]]]

    def at(self, name: str, moment: datetime) -> Holder | None:
        """Give the device that had the name at a moment, or gave it up shortly before."""
        former = self.former.get(name, ())
        then = next((holder for until, holder in former if until > moment), self.now.get(name))
        if then is None and former and moment - former[-1][0] < LATE:
            return former[-1][1]
        return then


async def holders(session: AsyncSession, names: Collection[str]) -> Holders:
    """Find who has, and who had, these names."""
    if not names:
        return Holders({}, {})
    present = await session.execute(queries.ids(names))
    former: dict[str, list[tuple[datetime, Holder]]] = {}
    given_up: Select[Any] = (
        select(FormerName.name, FormerName.until, Device.id, col(Device.name).label("now"))
        .join(Device, col(Device.id) == FormerName.device_id)
        .where(one_of(col(FormerName.name), names))
        .order_by(col(FormerName.until))
    )
    for name, until, device, called in await session.execute(given_up):
        former.setdefault(name, []).append((until, Holder(device, called)))
    return Holders({name: Holder(device, name) for name, device in present}, former)


async def follow(session: AsyncSession, device: Device, former: str) -> None:
    """Note that a device gave up a name; what was told of it is called as the device is now."""
    session.add(FormerName(name=former, until=now(), device_id=device.id))
    await session.flush()
    await session.execute(ALERTS_TURN)
    theirs = select(NOTICES.c.fingerprint).where(NOTICES.c.device_id == device.id)
    in_order = theirs.order_by(NOTICES.c.fingerprint, NOTICES.c.starts_at)
    await session.execute(in_order.with_for_update())
    for told in FOLLOWING:
        await session.execute(
            update(told).where(told.c.device_id == device.id).values(device=device.name)
        )
    # What was served to Prometheus is not lost when it comes by another name (decision 19).
    served = func.array_replace(SERVED.c.devices, former, device.name)
    await session.execute(update(SERVED).values(devices=served))


async def lately(session: AsyncSession) -> dict[str, list[str]]:
    """Give the names that devices gave up a moment ago and nobody has, by what they are called."""
    other = aliased(Device)
    statement = (
        select(Device.name, FormerName.name)
        .join(Device, col(Device.id) == FormerName.device_id)
        .where(FormerName.until > now() - LATE, ~exists().where(col(other.name) == FormerName.name))
    )
    found: dict[str, list[str]] = {}
    for name, former in await session.execute(statement):
        found.setdefault(name, []).append(former)
    return found


async def passed_on(session: AsyncSession, since: datetime | None = None) -> set[str]:
    """Give the names of devices that were another's, by default a moment ago.

    What Prometheus has under such a name may be of the other one.
    """
    statement = (
        select(Device.name)
        .join(FormerName, col(FormerName.name) == Device.name)
        .where(FormerName.until > (since or now() - LATE), FormerName.device_id != Device.id)
    )
    return set(await session.scalars(statement))


async def forget(session: AsyncSession, kept: timedelta = KEPT) -> None:
    """Forget names that were given up long ago, unless something goes on that began under them."""
    goes_on = (
        exists().where(told.c.device_id == FormerName.device_id, told.c.ends_at.is_(None))
        for told in (ALERTS, NOTICES)
    )
    old = col(FormerName.until) < now() - kept
    await session.execute(delete(FormerName).where(old, *(~each for each in goes_on)))
