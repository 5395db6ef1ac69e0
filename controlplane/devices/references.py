"""Devices as people see them, with names for what they refer to: a row for each device.

One statement, made once for all who hold the same: making it takes longer than running it.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Uuid, any_, bindparam, exists, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.credentials.models import Credential
from controlplane.database import plain
from controlplane.devices.catalogue.nouns import BY_ID
from controlplane.devices.models import (
    FACTS,
    Device,
    DeviceCredential,
    DeviceFacts,
    DeviceParent,
    FactChange,
    Site,
)
from controlplane.devices.schemas import DeviceRead

READ = tuple(name for name in DeviceRead.model_fields if name != "facts")
TOLD = (*FACTS, "first_seen", "last_seen")
REFERENCES: tuple[tuple[str, str, type[Any]], ...] = (
    ("site", "site_id", Site),
    *((noun.field, noun.column, noun.table) for noun in BY_ID),
)
WANTED = bindparam("devices", type_=ARRAY(Uuid))


async def read(
    session: AsyncSession, actor: Actor, devices: Sequence[UUID] | None
) -> dict[UUID, Row[Any]]:
    """Give rows of devices by id, which begin with what `READ` names, as this actor sees it.

    None means all devices; of some follows what `TOLD` names, as they said it last, and whether
    that has `changed`.
    """
    every = devices is None
    given = None if every else {"devices": devices}
    found = await plain(session, _references(actor.alike, every=every), given)
    return {row[0]: row for row in found}


@lru_cache(maxsize=64)
def _references(actor: Actor, *, every: bool) -> Select[Any]:
    device = aliased(Device)  # the restrictor looks at other rows of the table
    columns: dict[str, Any] = {
        "credentials": func.array(_credentials(device)),
        "parents": func.array(_parents(actor, device)),
    }
    joined: list[tuple[type[Any], Any]] = []
    for field, column, table in REFERENCES:
        refers = col(table.id) == getattr(device, column)
        if every:
            columns[field] = col(table.name)
            joined.append((table, refers))
        else:  # looked up row by row: to plan so many joins takes longer than a page
            columns[field] = select(table.name).where(refers).scalar_subquery()
    shown = (columns[n] if n in columns else getattr(device, n) for n in READ)
    statement: Select[Any] = select(
        *(column.label(name) for name, column in zip(READ, shown, strict=True))
    ).select_from(device)
    for table, refers in joined:
        statement = statement.outerjoin(table, refers)
    if every:
        return statement
    changed = exists().where(col(FactChange.device_id) == device.id)
    return (
        statement.add_columns(*_told(), changed.label("changed"))
        .outerjoin(DeviceFacts, col(DeviceFacts.device_id) == device.id)
        .where(col(device.id) == any_(WANTED))
    )


def _told() -> Iterator[Any]:
    """Give the columns of what devices say, whose names are some of theirs, too."""
    return (getattr(DeviceFacts, name).label(f"told_{name}") for name in TOLD)


def _credentials(device: type[Device]) -> Any:
    return (
        select(Credential.name)
        .join(DeviceCredential, col(DeviceCredential.credential_id) == Credential.id)
        .where(DeviceCredential.device_id == device.id)
        .order_by(col(DeviceCredential.position), col(Credential.name))
        .scalar_subquery()
    )


def _parents(actor: Actor, device: type[Device]) -> Any:
    parent = aliased(Device)
    visible = restrictor.on_device_rows(actor, Permission.DEVICES_READ, parent)
    name = (
        select(parent.name)
        .where(parent.id == DeviceParent.parent_id, visible)
        .scalar_subquery()
        .label("name")
    )
    of = select(name).where(DeviceParent.device_id == device.id).correlate(device).subquery()
    return select(of.c.name).where(of.c.name.is_not(None)).order_by(of.c.name).scalar_subquery()
