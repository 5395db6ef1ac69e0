"""The import document: what it puts into the inventory by name, all of it or none."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import require
from controlplane.auth.permissions import Permission
from controlplane.credentials import kinds
from controlplane.credentials import service as credentials
from controlplane.credentials.service import Outcome
from controlplane.devices import custom, inventory, queries, service, sites
from controlplane.devices.addresses import Reach
from controlplane.devices.catalogue import service as catalogue
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.devices.catalogue.nouns import CONTACT, IMPORTED, Noun
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
from controlplane.errors import Invalid, Problem
from controlplane.jobs.progress import Progress
from controlplane.vault import Vault

Named = Mapping[str, Collection[str]]  # by list
NOBODY: Named = MappingProxyType({})
NAMED = tuple(noun for noun in ImportDocument.model_fields if noun != "interfaces")
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
    found = await problems(session, actor, document)
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
    """Write rows of which `problems` said nothing; the caller has counted the change."""
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


async def problems(
    session: AsyncSession, actor: Actor, document: ImportDocument, named: Named = NOBODY
) -> list[Problem]:
    """Say everything that keeps the rows from being imported; `named` are names of other rows."""
    ports = await interfaces.problems(session, actor, document.interfaces)
    return [
        *_problems(document),
        *await _unknown(session, actor, document, named),
        *await _taken(session, actor, document),
        *(problem.under("/interfaces") for problem in ports),
    ]


def check_addresses(reach: Reach, document: ImportDocument) -> None:
    """Raise Invalid with every device whose address is not for devices."""
    reach.check(addresses(document))


def addresses(document: ImportDocument) -> list[tuple[str, str | None]]:
    """Give every address, and where it stands."""
    rows = enumerate(document.devices)
    return [(f"/devices/{index}/address", device.address) for index, device in rows]


def _problems(document: ImportDocument) -> Iterable[Problem]:
    """Find what is wrong with the document in itself."""
    for index, credential in enumerate(document.credentials):
        for problem in kinds.problems(credential.kind, credentials.given(credential)):
            yield problem.under(f"/credentials/{index}")
    for noun in NAMED:
        seen: set[str] = set()
        for index, row in enumerate(getattr(document, noun)):
            if row.name in seen:
                yield Problem(f"/{noun}/{index}/name", "twice", f"{row.name!r} stands here twice")
            seen.add(row.name)


async def _unknown(
    session: AsyncSession, actor: Actor, document: ImportDocument, named: Named
) -> list[Problem]:
    """Find the names that are neither in the inventory nor in the document."""
    rows = [data.model_dump(include=set(inventory.REFERRED)) for data in document.devices]
    contacts = [data.model_dump(include={CONTACT.field}) for data in document.sites]
    known = (await inventory.look_up(session, actor, [*rows, *contacts])).names()
    known = {
        **known,
        "site": {*known["site"], *named.get("sites", ()), *(site.name for site in document.sites)},
        "credential": {
            *known["credential"],
            *named.get("credentials", ()),
            *(credential.name for credential in document.credentials),
        },
        "device": {
            *known["device"],
            *named.get("devices", ()),
            *(device.name for device in document.devices),
        },
        **{
            noun.words: {
                *known[noun.words],
                *named.get(noun.plural, ()),
                *(row.name for row in getattr(document, noun.plural)),
            }
            for noun in IMPORTED
        },
    }
    return [
        problem
        for noun, given in (("sites", contacts), ("devices", rows))
        for index, row in enumerate(given)
        for problem in inventory.unknown(row, f"/{noun}/{index}", known)
    ]


async def _taken(session: AsyncSession, actor: Actor, document: ImportDocument) -> list[Problem]:
    """Find the devices that are there, but not for this actor to change."""
    names = [data.name for data in document.devices]
    taken = set(await session.scalars(queries.taken(names)))
    theirs = set(await session.scalars(queries.known(actor, service.WRITE, names)))
    others = taken - theirs
    return [
        Problem(f"/devices/{index}/name", "taken", f"you cannot have or change {name!r}")
        for index, name in enumerate(names)
        if name in others
    ]


async def _put_entries(
    session: AsyncSession, actor: Actor, noun: Noun, document: ImportDocument
) -> Tally:
    rows = getattr(document, noun.plural)
    tally = _tally([await catalogue.put(session, actor, noun, row) for row in rows])
    if tally.created or tally.updated:  # everywhere: it may belong to devices anywhere
        require(actor, Permission.CATALOGUE_WRITE, everywhere=True)
    return tally


async def _put_sites(
    session: AsyncSession, actor: Actor, given: Sequence[SiteCreate]
) -> list[Outcome]:
    """Put sites in the order in which parents come first, and tell the outcome of each."""
    named = {site.name: site for site in given}
    order = sites.parents_first({site.name: site.parent for site in given}, "/sites")
    return [await _put_site(session, actor, named[name]) for name in order]


async def _put_site(session: AsyncSession, actor: Actor, data: SiteCreate) -> Outcome:
    if await session.scalar(queries.any_site(data.name)) is None:
        await sites.insert(session, actor, data)
        return Outcome.CREATED
    site = await sites.get(session, actor, data.name)
    if await sites.change(session, actor, site, data):
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
