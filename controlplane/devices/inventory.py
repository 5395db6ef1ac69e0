"""Write devices, one or ten thousand, with what they refer to by name."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from controlplane.auth import restrictor
from controlplane.auth.actor import Actor, system
from controlplane.auth.permissions import Permission
from controlplane.credentials import queries as credential_queries
from controlplane.database import now, one_of
from controlplane.devices import custom, facts, parents, queries, references
from controlplane.devices.catalogue import queries as catalogue_queries
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.devices.catalogue.nouns import BY_ID, CUSTOM_FIELD, NOUNS
from controlplane.devices.models import Device, DeviceCredential, DeviceParent
from controlplane.devices.references import READ
from controlplane.devices.schemas import DeviceRead
from controlplane.errors import Invalid, Problem

Fields = Mapping[str, Any]

UNSEEN = "…"  # stands for a device that the actor does not see
COLUMNS = (
    *("address", "port", "role", "vendor", "description", "serial", "asset_tag"),
    *("profile", "modules", "tags", "contacts", "custom_fields", "status"),
)
REFERENCES = {noun.column: noun.field for noun in BY_ID}
REFERRED = {
    "site": "site",
    "credentials": "credential",
    "parents": "device",
    **{noun.field: noun.words for noun in NOUNS.values() if noun is not CUSTOM_FIELD},
}


@dataclass(frozen=True)
class Row:
    """A device and the fields to give it; `place` is where they stand in the request."""

    device: Device
    fields: Fields
    place: str = ""
    new: bool = False  # not in the session yet


@dataclass(frozen=True)
class Directory:
    """The ids behind the names that rows refer to."""

    sites: Mapping[str, UUID]
    credentials: Mapping[str, UUID]
    devices: Mapping[str, UUID]
    catalogue: Mapping[str, Mapping[str, UUID]]  # by the field of a device

    def names(self) -> dict[str, Collection[str]]:
        """Give the names there are, by noun."""
        own = {"site": self.sites, "credential": self.credentials, "device": self.devices}
        return {**own, **{NOUNS[field].words: ids for field, ids in self.catalogue.items()}}


async def look_up(session: AsyncSession, actor: Actor, fields: Sequence[Fields]) -> Directory:
    """Find what rows refer to; what is not there, or not for this actor, is missing."""
    sites = {f["site"] for f in fields if f.get("site")}
    credentials = {name for f in fields for name in f.get("credentials", ())}
    devices = {name for f in fields for name in f.get("parents", ())}
    found_sites = await session.scalars(queries.named_sites(actor, sites))
    found_credentials = await session.scalars(credential_queries.usable(actor, credentials))
    found_devices = await session.execute(queries.known(actor, Permission.DEVICES_READ, devices))
    return Directory(
        sites={site.name: site.id for site in found_sites},
        credentials={credential.name: credential.id for credential in found_credentials},
        devices=dict(found_devices.tuples().all()),
        catalogue={field: await _entries(session, field, fields) for field in NOUNS},
    )


async def _entries(session: AsyncSession, field: str, fields: Sequence[Fields]) -> dict[str, UUID]:
    given = [f[field] for f in fields if f.get(field)]
    names = {name for value in given for name in ([value] if isinstance(value, str) else value)}
    if not names:
        return {}
    found = await session.execute(catalogue_queries.ids(NOUNS[field], names))
    return dict(found.tuples().all())


def unknown(fields: Fields, place: str, known: Mapping[str, Collection[str]]) -> list[Problem]:
    """Say every name in a row that is not among the known ones, which stand by noun."""
    problems = []
    for field, noun in REFERRED.items():
        given = fields.get(field) or ()
        steps = {given: ""} if isinstance(given, str) else {n: f"/{i}" for i, n in enumerate(given)}
        for name, step in steps.items():
            if name not in known[noun]:
                message = f"there is no {noun} {name!r}"
                problems.append(Problem(f"{place}/{field}{step}", "unknown", message))
    return problems


async def write(session: AsyncSession, actor: Actor, rows: Sequence[Row]) -> None:
    """Store the rows, or raise Invalid with every unknown name, or with the cycle they close.

    Parents may stand later in the list. As they are written, all must be within the actor's reach,
    or Forbidden is raised.
    """
    directory = await look_up(session, actor, [row.fields for row in rows])
    # What is being written may be named, too: whether it is in reach is looked at in the end.
    written = {row.device.name: row.device.id for row in rows}
    directory = replace(directory, devices={**directory.devices, **written})
    known = directory.names()
    problems = [p for row in rows for p in unknown(row.fields, row.place, known)]
    problems += await unfit(
        session,
        [(row.place, row.fields[custom.FIELD]) for row in rows if custom.FIELD in row.fields],
    )
    if problems:
        raise Invalid("some of these names or values are not what the inventory has", *problems)
    for row in rows:
        _assign(row, directory)
    session.add_all(row.device for row in rows if row.new)
    await session.flush()
    await _relink(session, actor, rows, directory)
    if any(row.fields.get("parents") for row in rows):
        await _refuse_cycle(session, actor, rows)
    await restrictor.check_devices(session, actor, Permission.DEVICES_WRITE, written.values())


async def unfit(session: AsyncSession, given: Sequence[tuple[str, Fields]]) -> list[Problem]:
    """Say which values of custom fields cannot be; with each device's stands its place."""
    if not given:
        return []
    return custom.problems(await custom.definitions(session, AppliesTo.DEVICE), given)


def add(name: str, fields: Fields, place: str = "") -> Row:
    """Make the row of a new device; `fields` are all there are."""
    # With every column given: SQLModel takes a millisecond to look at a default.
    moment = now()
    device = Device(
        id=uuid4(),
        name=name,
        **{column: fields[column] for column in COLUMNS},
        site_id=None,
        version=1,
        created_at=moment,
        updated_at=moment,
        device_type_id=None,
        platform_id=None,
        poll_class_id=None,
        tenant_id=None,
    )
    return Row(device, fields, place, new=True)


def _assign(row: Row, directory: Directory) -> None:
    for name in () if row.new else COLUMNS:
        if name in row.fields:
            setattr(row.device, name, row.fields[name])
    for column, field in REFERENCES.items():
        if field in row.fields:
            named = row.fields[field]
            setattr(row.device, column, directory.catalogue[field][named] if named else None)
    if "site" in row.fields:
        site = row.fields["site"]
        row.device.site_id = directory.sites[site] if site else None
    if not row.new:
        row.device.updated_at = now()


async def _relink(
    session: AsyncSession, actor: Actor, rows: Sequence[Row], directory: Directory
) -> None:
    credentials = [
        {
            "device_id": row.device.id,
            "credential_id": directory.credentials[name],
            "position": position,
        }
        for row in rows
        for position, name in enumerate(row.fields.get("credentials", ()))
    ]
    ways = [
        {"device_id": row.device.id, "parent_id": directory.devices[name]}
        for row in rows
        for name in row.fields.get("parents", ())
    ]
    # A parent that the actor does not see is none of theirs to remove.
    seen = col(DeviceParent.parent_id).in_(queries.visible_devices(actor))
    for table, field, links, theirs in (
        (DeviceCredential, "credentials", credentials, true()),
        (DeviceParent, "parents", ways, seen),
    ):
        named = [row.device.id for row in rows if field in row.fields and not row.new]
        if named:
            old = one_of(col(table.device_id), named)
            await session.execute(delete(table).where(old, theirs))
        if links:
            await session.execute(insert(table), links)


async def _refuse_cycle(session: AsyncSession, actor: Actor, rows: Iterable[Row]) -> None:
    names = await parents_of(session, system("inventory"), None)
    devices = await session.execute(select(Device.id, Device.name).order_by(Device.name))
    way = parents.cycle({name: names.get(id_, ()) for id_, name in devices})
    if way is None:
        return
    found = await session.scalars(queries.named(actor, Permission.DEVICES_READ, way))
    seen = {device.name for device in found}
    way = [name if name in seen else UNSEEN for name in way]
    places = {row.device.name: row.place for row in rows if row.fields.get("parents")}
    place = next((places[name] for name in way if name in places), "")
    detail = f"the parents make a cycle: {' -> '.join(way)}"
    raise Invalid(detail, Problem(f"{place}/parents", "cycle", detail))


async def parents_of(
    session: AsyncSession, actor: Actor, devices: Collection[UUID] | None
) -> dict[UUID, list[str]]:
    """Give the parents that the actor sees of each device that has some; of all for None."""
    return _grouped(await session.execute(queries.parent_names(actor, devices)))


async def read(
    session: AsyncSession, actor: Actor, devices: Sequence[Device], *, every: bool = False
) -> list[DeviceRead]:
    """Give devices as the actor sees them, with names for what they refer to.

    `every` says that these are most of the devices: then all are read in one sweep, and what
    devices say of themselves is left out.
    """
    return await shown(session, actor, [device.id for device in devices], every=every)


async def shown(
    session: AsyncSession, actor: Actor, ids: Sequence[UUID], *, every: bool = False
) -> list[DeviceRead]:
    """Give the devices of these ids; one that is gone by now is left out."""
    if not ids:
        return []
    rows = await references.read(session, actor, None if every else ids)
    told = {} if every else await facts.read(session, rows.values())
    return [
        DeviceRead(**dict(zip(READ, rows[id_], strict=False)), facts=told.get(id_))
        for id_ in ids
        if id_ in rows
    ]


def _grouped(pairs: Iterable[Any]) -> dict[UUID, list[str]]:
    groups: dict[UUID, list[str]] = {}
    for device, name in pairs:
        groups.setdefault(device, []).append(name)
    return groups
