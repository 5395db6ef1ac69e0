"""What devices refer to, by name, and what they say of themselves: a row for each device.

One statement, made once for all who hold the same: making it takes longer than running it.
"""

from collections.abc import Sequence
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
from controlplane.devices.catalogue.nouns import NOUNS
from controlplane.devices.models import (
    Device,
    DeviceCredential,
    DeviceFacts,
    DeviceParent,
    FactChange,
    Site,
)

WANTED = bindparam("devices", type_=ARRAY(Uuid))


async def read(
    session: AsyncSession, actor: Actor, devices: Sequence[UUID] | None
) -> dict[UUID, Row[Any]]:
    """Give by device the names it refers to, under the fields of `DeviceRead`; None means of all.

    Of some devices, what they said last, too, and whether that has `changed`.
    """
    every = devices is None
    given = {} if every else {"devices": devices}
    found = await session.execute(_references(actor.alike, every=every), given)
    return {row.id: row for row in found}


@lru_cache(maxsize=64)
def _references(actor: Actor, *, every: bool) -> Select[Any]:
    device = aliased(Device)  # the restrictor looks at other rows of the table
    statement: Select[Any] = (
        select(device.id, col(Site.name).label("site"))
        .add_columns(func.array(_credentials(device)).label("credentials"))
        .add_columns(func.array(_parents(actor, device)).label("parents"))
        .outerjoin(Site, col(Site.id) == device.site_id)
    )
    for noun in NOUNS.values():
        refers = col(noun.table.id) == getattr(device, noun.column)
        statement = statement.add_columns(col(noun.table.name).label(noun.field))
        statement = statement.outerjoin(noun.table, refers)
    if every:
        return statement
    changed = exists().where(col(FactChange.device_id) == device.id)
    return (
        statement.add_columns(DeviceFacts, changed.label("changed"))
        .outerjoin(DeviceFacts, col(DeviceFacts.device_id) == device.id)
        .where(col(device.id) == any_(WANTED))
    )


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
    return (
        select(parent.name)
        .join(DeviceParent, col(DeviceParent.parent_id) == parent.id)
        .where(DeviceParent.device_id == device.id)
        .where(restrictor.on_devices(actor, Permission.DEVICES_READ, col(parent.id)))
        .order_by(col(parent.name))
        .scalar_subquery()
    )
