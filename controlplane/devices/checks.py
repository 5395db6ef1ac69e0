"""What keeps the rows of a document from being imported: all of it, each at its place."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.credentials import kinds
from controlplane.credentials import service as credentials
from controlplane.database import same
from controlplane.devices import custom, inventory, places, queries, service
from controlplane.devices.catalogue import service as catalogue
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.devices.catalogue.nouns import CONTACT, CUSTOM_FIELD, IMPORTED
from controlplane.devices.interfaces import service as interfaces
from controlplane.devices.schemas import DeviceCreate, ImportDocument, SiteCreate
from controlplane.errors import Problem

Named = Mapping[str, Collection[str]]  # by list
NOBODY: Named = MappingProxyType({})
NAMED = tuple(noun for noun in ImportDocument.model_fields if noun != "interfaces")


async def problems(
    session: AsyncSession, actor: Actor, document: ImportDocument, named: Named = NOBODY
) -> list[Problem]:
    """Say everything that keeps the rows from being imported; `named` are names of other rows."""
    ports = await interfaces.problems(session, actor, document.interfaces)
    return [
        *_problems(document),
        *await _refused(session, actor, document, named),
        *await _unfit(session, actor, document, named),
        *await _unknown(session, actor, document, named),
        *await _taken(session, actor, document),
        *(problem.under("/interfaces") for problem in ports),
    ]


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


async def _refused(
    session: AsyncSession, actor: Actor, document: ImportDocument, named: Named
) -> list[Problem]:
    """Find what keeps rows of the catalogue, and sites where they stand, from being written."""
    misplaced = await places.problems(session, actor, document.sites, named.get("sites", ()))
    found = {"sites": misplaced}
    for noun in IMPORTED:
        rows = getattr(document, noun.plural)
        found[noun.plural] = await catalogue.problems(session, actor, noun, rows)
    return [problem.under(f"/{noun}") for noun, problems in found.items() for problem in problems]


async def _unfit(
    session: AsyncSession, actor: Actor, document: ImportDocument, named: Named
) -> list[Problem]:
    """Find the values that are not those of custom fields as they are after the import."""
    names = [data.name for data in document.devices]
    held = await session.execute(queries.custom_fields(actor, service.WRITE, names))
    seen = await session.scalars(queries.named_sites(actor, [data.name for data in document.sites]))
    problems = []
    for of, noun, rows, stored in (
        (AppliesTo.SITE, "sites", document.sites, {s.name: s.custom_fields for s in seen}),
        (AppliesTo.DEVICE, "devices", document.devices, dict(held.tuples().all())),
    ):
        known = {
            **custom.after(await custom.definitions(session, of), of, document.custom_fields),
            **{name: custom.anything(name, of) for name in named.get(CUSTOM_FIELD.plural, ())},
        }
        problems += custom.problems(known, _written(rows, noun, stored, custom.defaults(known)))
    return problems[: custom.MOST_PROBLEMS]


def _written(
    rows: Sequence[SiteCreate | DeviceCreate],
    noun: str,
    stored: Mapping[str, Mapping[str, Any]],
    defaults: Mapping[str, Any],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the values that rows would write, and where each row stands."""
    for index, row in enumerate(rows):
        if row.name not in stored:
            yield f"/{noun}/{index}", {**defaults, **row.custom_fields}
        elif custom.FIELD in row.model_fields_set and not same(stored[row.name], row.custom_fields):
            yield f"/{noun}/{index}", row.custom_fields


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
