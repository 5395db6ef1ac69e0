"""The import document: what it puts into the inventory by name, all of it or none."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.credentials import service as credentials
from controlplane.credentials.service import Outcome
from controlplane.devices import checks, custom, inventory, queries, service, sites
from controlplane.devices.addresses import Reach
from controlplane.devices.catalogue import service as catalogue
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.devices.catalogue.nouns import IMPORTED, Noun
from controlplane.devices.interfaces import service as interfaces
from controlplane.devices.inventory import Row
from controlplane.devices.schemas import (
    DeviceCreate,
    DeviceRead,
    ImportDocument,
    ImportResult,
    SiteCreate,
    Tally,
)
from controlplane.errors import Invalid
from controlplane.jobs.progress import Progress
from controlplane.vault import Vault

SWEEP = 500  # devices from which the links of all of them are read at once


async def apply(
    session: AsyncSession, actor: Actor, vault: Vault, document: ImportDocument
) -> ImportResult:
    """Add what is new and change what differs, or raise Invalid with every problem of every row.

    A credential becomes exactly what the document says; of all else the fields that are left out
    stay as they are. Nothing is removed. The actor needs for each row what they would
    need to write it alone.
    """
    await events.changed(session)
    found = await checks.problems(session, actor, document)
    if found:
        raise Invalid("nothing was imported: some rows cannot be used", *found)
    return await put(session, actor, vault, document)


async def put(
    session: AsyncSession,
    actor: Actor,
    vault: Vault,
    document: ImportDocument,
    progress: Progress | None = None,
) -> ImportResult:
    """Write rows of which `checks.problems` said nothing; the caller has counted the change."""
    moved = progress or Progress()
    put_credentials = [
        await credentials.put(session, actor, vault, c) for c in document.credentials
    ]
    moved.advance(len(document.credentials))
    tallies = {n.plural: await _put_entries(session, actor, n, document) for n in IMPORTED}
    moved.advance(sum(len(getattr(document, noun)) for noun in tallies))
    put_sites = await _put_sites(session, actor, document.sites)
    moved.advance(len(document.sites))
    put_devices = await _put_devices(session, actor, document.devices)
    moved.advance(len(document.devices))
    put_interfaces = await interfaces.put(session, actor, document.interfaces)
    moved.advance(len(document.interfaces))
    result = ImportResult(
        credentials=_tally(put_credentials),
        sites=_tally(put_sites),
        **tallies,
        devices=_tally(put_devices),
        interfaces=_tally(put_interfaces),
    )
    await audit.record(session, Action.IMPORT, who=actor.who, after=result.model_dump())
    return result


def check_addresses(reach: Reach, document: ImportDocument) -> None:
    """Raise Invalid with every device whose address is not for devices."""
    reach.check(addresses(document))


def addresses(document: ImportDocument) -> list[tuple[str, str | None]]:
    """Give every address, and where it stands."""
    rows = enumerate(document.devices)
    return [(f"/devices/{index}/address", device.address) for index, device in rows]


async def _put_entries(
    session: AsyncSession, actor: Actor, noun: Noun, document: ImportDocument
) -> Tally:
    rows = getattr(document, noun.plural)
    return _tally([await catalogue.put(session, actor, noun, row) for row in rows])


async def _put_sites(
    session: AsyncSession, actor: Actor, given: Sequence[SiteCreate]
) -> list[Outcome]:
    """Put sites in the order in which parents come first, and tell the outcome of each."""
    named = {site.name: site for site in given}
    order = sites.parents_first({site.name: site.parent for site in given}, "/sites")
    return [await _put_site(session, actor, named[name]) for name in order]


async def _put_site(session: AsyncSession, actor: Actor, data: SiteCreate) -> Outcome:
    if await session.scalar(queries.any_site(data.name)) is None:
        await sites.insert(session, actor, data, alone=False)
        return Outcome.CREATED
    site = await sites.get(session, actor, data.name)
    if await sites.change(session, actor, site, data, alone=False):
        return Outcome.UPDATED
    return Outcome.UNCHANGED


async def _put_devices(
    session: AsyncSession, actor: Actor, devices: Sequence[DeviceCreate]
) -> list[Outcome]:
    names = [data.name for data in devices]
    there = list(await session.scalars(queries.named(actor, service.WRITE, names)))
    many = len(there) > SWEEP
    current = {read.name: read for read in await inventory.read(session, actor, there, every=many)}
    stored = {device.name: device for device in there}
    new = [data.model_dump(exclude={"name"}) for data in devices if data.name not in current]
    await custom.complete(session, AppliesTo.DEVICE, new)
    made = iter(new)
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
            rows.append(Row(device, fields, f"/devices/{index}"))
        else:
            rows.append(inventory.add(data.name, next(made), f"/devices/{index}"))
    await inventory.write(session, actor, rows)
    await _record(session, actor, rows, current)
    return outcomes


async def _record(
    session: AsyncSession, actor: Actor, rows: Sequence[Row], before: Mapping[str, DeviceRead]
) -> None:
    """Tell the audit log of each device that was added or changed."""
    for row in rows:
        was = before.get(row.device.name)
        old = service.fields(was) if was else None
        after = {**(old or {}), **row.fields}
        action = Action.UPDATE if was else Action.CREATE
        await trail.record(
            session, actor, action, service.NOUN, row.device, before=old, after=after
        )


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
