"""Import documents of any format, on trial or for good, and export what imports again."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import IO, Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane import database, events
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import require
from controlplane.auth.permissions import Permission
from controlplane.credentials import queries as credential_queries
from controlplane.devices import checks, inventory, queries, sites
from controlplane.devices import document as documents
from controlplane.devices.addresses import Reach
from controlplane.devices.catalogue import queries as catalogue
from controlplane.devices.catalogue.nouns import IMPORTED, Noun
from controlplane.devices.custom import FIELD
from controlplane.devices.interfaces import queries as interfaces
from controlplane.devices.schemas import (
    DeviceCreate,
    DeviceRead,
    ImportDocument,
    ImportResult,
    SiteCreate,
    SiteQuery,
    SiteRead,
    Tally,
)
from controlplane.errors import Invalid, Problem
from controlplane.grammar import NAME_PATTERN
from controlplane.jobs.progress import Progress
from controlplane.transfer import checking, formats
from controlplane.transfer.formats import Format, Writer
from controlplane.transfer.schemas import (
    ExportQuery,
    ImportQuery,
    ImportReport,
    InterfaceExportQuery,
    Mode,
    RowError,
)
from controlplane.transfer.sources import Given
from controlplane.transfer.tables import Kind
from controlplane.vault import Vault

NEEDED = {
    "credentials": Permission.CREDENTIALS_WRITE,
    "sites": Permission.SITES_WRITE,
    **dict.fromkeys((noun.plural for noun in IMPORTED), Permission.DEVICES_READ),
    "devices": Permission.DEVICES_WRITE,
    "interfaces": Permission.DEVICES_WRITE,
}

Sessions = async_sessionmaker[AsyncSession]
Parts = AsyncIterator[tuple[str, Sequence[dict[str, Any]]]]  # some rows of a list, by its noun
PART = 500  # rows that are read and written at once

Taken = Callable[[Collection[str]], Select[tuple[str]]]  # those of the names that are there


async def load(  # noqa: PLR0917 - what an import is about, and what it needs
    session: AsyncSession,
    actor: Actor,
    vault: Vault,
    reach: Reach,
    given: Given,
    query: ImportQuery,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a document, or raise Invalid with every error of every row; on trial report them."""
    for noun, permission in NEEDED.items():
        if given.document.get(noun):
            require(actor, permission)
    try:
        result = await _try(session, actor, vault, reach, given, query, progress or Progress())
    except Invalid as error:
        if not query.dry_run:
            raise
        found = error.problems or (Problem("", "invalid", error.detail),)
        nothing = {noun: Tally() for noun in ImportResult.model_fields}
        errors = [_row_error(p) for p in found]
        return ImportReport(**nothing, dry_run=True, errors=errors, left_out=given.left_out)
    return ImportReport(**result.model_dump(), dry_run=query.dry_run, left_out=given.left_out)


async def _try(  # noqa: PLR0917 - ...
    session: AsyncSession,
    actor: Actor,
    vault: Vault,
    reach: Reach,
    given: Given,
    query: ImportQuery,
    progress: Progress,
) -> ImportResult:
    trial = await session.begin_nested() if query.dry_run else None
    try:
        await events.changed(session)
        usable = await _usable(session, actor, reach, given, query.mode)
        progress.total = 2 * sum(len(getattr(usable, noun)) for noun in NEEDED)
        progress.advance(progress.total // 2)  # they are checked, and not yet written
        return await documents.put(session, actor, vault, usable, progress)
    finally:
        if trial is not None and trial.is_active:
            await trial.rollback()


async def _usable(
    session: AsyncSession, actor: Actor, reach: Reach, given: Given, mode: Mode
) -> ImportDocument:
    """Give the rows, or raise Invalid with every error of every row."""
    checked = checking.check(await _completed(session, actor, given))
    usable = checked.document
    found = [
        *reach.problems(documents.addresses(usable)),
        *await checks.problems(session, actor, usable, checked.named),
        *await _unfit(session, mode, usable),
    ]
    problems = [*given.problems, *checked.problems, *map(checked.placed, found)]
    if problems:
        raise Invalid("nothing was imported: some rows cannot be used", *problems)
    return usable


async def _completed(session: AsyncSession, actor: Actor, given: Given) -> Mapping[str, Any]:
    """Give the document, in which rows of a table have the custom fields that it has no column for.

    Rows whose name is none have no device, and are refused later.
    """
    if not given.columns:
        return given.document
    rows = given.document["devices"]
    names = [row["name"] for row in rows if re.fullmatch(NAME_PATTERN, row.get("name", ""))]
    found = await session.execute(queries.custom_fields(actor, Permission.DEVICES_WRITE, names))
    stored = dict(found.tuples().all())
    completed = []
    for row in rows:
        held = stored.get(row.get("name", ""), {}).items()
        kept = {name: value for name, value in held if name not in given.columns}
        completed.append({**row, FIELD: {**kept, **row[FIELD]}})
    return {**given.document, "devices": completed}


async def _unfit(session: AsyncSession, mode: Mode, document: ImportDocument) -> list[Problem]:
    """Find the rows that are there and should not be, or the other way around."""
    if mode is Mode.UPSERT:
        return []
    problems = []
    checks: tuple[tuple[str, Sequence[Any], Taken], ...] = (
        ("credentials", document.credentials, credential_queries.taken),
        ("sites", document.sites, queries.taken_sites),
        *((n.plural, getattr(document, n.plural), partial(catalogue.taken, n)) for n in IMPORTED),
        ("devices", document.devices, queries.taken),
    )
    for noun, rows, statement in checks:
        there = set(await session.scalars(statement([row.name for row in rows])))
        for index, row in enumerate(rows):
            if (row.name in there) is (mode is Mode.CREATE):
                code, words = ("exists", "already") if mode is Mode.CREATE else ("unknown", "not")
                message = f"{row.name!r} is {words} there"
                problems.append(Problem(f"/{noun}/{index}/name", code, message))
    if mode is Mode.CREATE:
        message = "an interface is added by its device, and not by an import"
        places = range(len(document.interfaces))
        problems += [Problem(f"/interfaces/{index}/name", "exists", message) for index in places]
    return problems


def _row_error(problem: Problem) -> RowError:
    noun, index, field = ([*problem.pointer.removeprefix("/").split("/", 2), "", ""])[:3]
    row = int(index) + 1 if index.isdecimal() else None
    return RowError(noun=noun, row=row, field=field, code=problem.code, message=problem.message)


async def export(sessions: Sessions, actor: Actor, query: ExportQuery, out: IO[str]) -> None:
    """Write the devices that the actor sees and that pass the filters, and the sites they see.

    All of it is of one moment, so what refers to something comes with it.
    """
    async with database.reading(sessions) as session:
        custom = await session.scalars(queries.custom_names(actor, query))
        writer = formats.writer(query.format, Kind.DEVICES, custom.all())
        parts = _devices(session, actor, query)
        if query.format is not Format.CSV:
            parts = _chained(_places(session, actor), _catalogue(session), parts)
        counted = await _write(writer, parts, out)
    await _note(sessions, actor, counted)


async def export_interfaces(
    sessions: Sessions, actor: Actor, query: InterfaceExportQuery, out: IO[str]
) -> None:
    """Write what is said of the interfaces that the actor sees and that pass the filters."""
    writer = formats.writer(query.format, Kind.INTERFACES)
    async with database.reading(sessions) as session:
        counted = await _write(writer, _interfaces(session, actor, query), out)
    await _note(sessions, actor, counted)


async def _write(writer: Writer, parts: Parts, out: IO[str]) -> Counter[str]:
    """Write a document part by part, of which no more is held than one; count its rows."""
    counted: Counter[str] = Counter()
    async for noun, rows in parts:
        counted[noun] += len(rows)
        out.write(writer.rows(noun, rows))
    out.write(writer.end())
    return counted


async def _note(sessions: Sessions, actor: Actor, counted: Counter[str]) -> None:
    async with sessions.begin() as session:
        await audit.record(session, Action.EXPORT, who=actor.who, after=counted)


async def _chained(*several: Parts) -> Parts:
    for parts in several:
        async for part in parts:
            yield part


async def _places(session: AsyncSession, actor: Actor) -> Parts:
    places: Sequence[SiteRead] = ()
    if Permission.SITES_READ in actor.permissions:
        rows = list(await session.scalars(queries.sites(actor, SiteQuery()).order_by("name")))
        places = await sites.read(session, actor, rows)
    yield "sites", [_site(site) for site in places]


async def _catalogue(session: AsyncSession) -> Parts:
    for noun in IMPORTED:
        yield noun.plural, await _entries(session, noun)


async def _devices(session: AsyncSession, actor: Actor, query: ExportQuery) -> Parts:
    yield Kind.DEVICES, []
    ids = list(await session.scalars(queries.device_ids(actor, query).order_by("name")))
    for start in range(0, len(ids), PART):
        found = await inventory.shown(session, actor, ids[start : start + PART])
        yield Kind.DEVICES, [_device(device) for device in found]


async def _interfaces(session: AsyncSession, actor: Actor, query: InterfaceExportQuery) -> Parts:
    yield Kind.INTERFACES, []
    found = await session.stream(interfaces.told_of(actor, query))
    async for part in found.mappings().partitions(PART):
        yield Kind.INTERFACES, [{name: str(v) for name, v in row.items()} for row in part]


async def _entries(session: AsyncSession, noun: Noun) -> list[dict[str, Any]]:
    rows = await session.scalars(catalogue.entries(noun).order_by("name"))
    return [row.model_dump(mode="json", include=set(noun.create.model_fields)) for row in rows]


def _site(site: SiteRead) -> dict[str, Any]:
    return site.model_dump(mode="json", include=set(SiteCreate.model_fields))


def _device(device: DeviceRead) -> dict[str, Any]:
    fields = device.model_dump(mode="json", include=set(DeviceCreate.model_fields))
    return {"name": fields.pop("name"), "address": fields.pop("address"), **fields}
