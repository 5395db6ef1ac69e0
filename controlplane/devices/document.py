"""The import document: credentials, sites and devices by name, all of them or none."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from controlplane import events
from controlplane.credentials import service as credentials
from controlplane.credentials import snmp
from controlplane.credentials.service import Outcome
from controlplane.devices import inventory, queries, service
from controlplane.devices.inventory import Row
from controlplane.devices.models import Device
from controlplane.devices.schemas import (
    DeviceCreate,
    DeviceRead,
    ImportDocument,
    ImportResult,
    SiteCreate,
    Tally,
)
from controlplane.errors import Invalid, Problem
from controlplane.vault import Vault


async def apply(session: AsyncSession, vault: Vault, document: ImportDocument) -> ImportResult:
    """Add what is new and change what differs, or raise Invalid with every problem of every row.

    A credential becomes exactly what the document says; of sites and devices the fields that are
    left out stay as they are. Nothing is removed.
    """
    await events.changed(session)
    problems = [*_problems(document), *await _unknown(session, document)]
    if problems:
        raise Invalid("nothing was imported: some rows cannot be used", *problems)
    return ImportResult(
        credentials=_tally(
            [await credentials.put(session, vault, c) for c in document.credentials]
        ),
        sites=_tally([await _put_site(session, site) for site in document.sites]),
        devices=_tally(await _put_devices(session, document.devices)),
    )


def _problems(document: ImportDocument) -> Iterable[Problem]:
    """Find what is wrong with the document in itself."""
    for index, credential in enumerate(document.credentials):
        for problem in snmp.problems(credentials.given(credential)):
            yield problem.under(f"/credentials/{index}")
    for noun in ("credentials", "sites", "devices"):
        seen: set[str] = set()
        for index, row in enumerate(getattr(document, noun)):
            if row.name in seen:
                yield Problem(f"/{noun}/{index}/name", "twice", f"{row.name!r} stands here twice")
            seen.add(row.name)


async def _unknown(session: AsyncSession, document: ImportDocument) -> list[Problem]:
    """Find the names that are neither in the inventory nor in the document."""
    rows = [
        data.model_dump(include={"site", "credentials", "parents"}) for data in document.devices
    ]
    known = (await inventory.look_up(session, rows)).names()
    known = {
        "site": {*known["site"], *(site.name for site in document.sites)},
        "credential": {*known["credential"], *(c.name for c in document.credentials)},
        "device": {*known["device"], *(device.name for device in document.devices)},
    }
    return [
        problem
        for index, row in enumerate(rows)
        for problem in inventory.unknown(row, f"/devices/{index}", known)
    ]


async def _put_site(session: AsyncSession, data: SiteCreate) -> Outcome:
    site = await session.scalar(queries.site(data.name))
    if site is None:
        await service.create_site(session, data)
        return Outcome.CREATED
    fields = data.model_dump(exclude_unset=True)
    if all(getattr(site, name) == value for name, value in fields.items()):
        return Outcome.UNCHANGED
    await service.update_site(session, data.name, data)
    return Outcome.UPDATED


async def _put_devices(session: AsyncSession, devices: Sequence[DeviceCreate]) -> list[Outcome]:
    names = [data.name for data in devices]
    there = list(await session.scalars(select(Device).where(col(Device.name).in_(names))))
    current = {read.name: read for read in await inventory.read(session, there)}
    stored = {device.name: device for device in there}
    rows, outcomes = [], []
    for index, data in enumerate(devices):
        outcome = _outcome(current.get(data.name), data)
        outcomes.append(outcome)
        if outcome is Outcome.UNCHANGED:
            continue
        if outcome is Outcome.UPDATED:
            device = stored[data.name]
            device.version += 1
            fields = data.model_dump(exclude={"name"}, exclude_unset=True)
        else:
            device = Device(name=data.name, address=data.address)
            session.add(device)
            fields = data.model_dump(exclude={"name"})
        rows.append(Row(device, fields, f"/devices/{index}"))
    await inventory.write(session, rows)
    return outcomes


def _outcome(current: DeviceRead | None, data: DeviceCreate) -> Outcome:
    if current is None:
        return Outcome.CREATED
    fields = data.model_dump(exclude={"name"}, exclude_unset=True)
    return Outcome.UPDATED if service.differs(current, fields) else Outcome.UNCHANGED


def _tally(outcomes: Iterable[Outcome]) -> Tally:
    counted = Counter(outcomes)
    return Tally(
        created=counted[Outcome.CREATED],
        updated=counted[Outcome.UPDATED],
        unchanged=counted[Outcome.UNCHANGED],
    )
