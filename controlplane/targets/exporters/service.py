"""Keep the exporters that share the devices.

Those of CHM_EXPORTERS are always there. One registered at the address of such a one takes its
place: same devices, but a name, and a weight that can be changed.
"""

from collections import Counter
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.devices import queries as device_queries
from controlplane.errors import Conflict, Invalid, NotFound, Problem
from controlplane.settings import Settings
from controlplane.targets.exporters import queries
from controlplane.targets.exporters.assignment import Assignment, Member
from controlplane.targets.exporters.models import Exporter
from controlplane.targets.exporters.schemas import ExporterCreate, ExporterRead, ExporterUpdate

NOUN = "exporter"
SHOWN = {"address", "weight", "draining"}


async def assignment(
    session: AsyncSession, settings: Settings, before: Assignment | None = None
) -> Assignment:
    """Give who asks which device, as of now; the one of before where it is the same."""
    registered = list(await session.scalars(queries.exporters()))
    sites = (await session.execute(queries.sites())).all()
    found = Assignment(_members(settings, registered), {id_: parent for id_, _, parent in sites})
    return before if before == found and before is not None else found


async def read(session: AsyncSession, settings: Settings) -> list[ExporterRead]:
    """Give every exporter, and how many devices each asks."""
    sharing = await assignment(session, settings)
    names = {id_: name for id_, name, _ in await session.execute(queries.sites())}
    devices = (await session.execute(device_queries.labelled())).all()
    asked = Counter(sharing.owner(d.name, d.site_id).address for d in devices)
    return [
        ExporterRead(
            name=member.name,
            address=member.address,
            site=names[member.site] if member.site else None,
            weight=member.weight,
            draining=member.draining,
            source="registered" if member.registered else "settings",
            devices=asked[member.address],
        )
        for member in sharing.members
    ]


async def create(
    session: AsyncSession, actor: Actor, settings: Settings, data: ExporterCreate
) -> ExporterRead:
    """Register an exporter; it gets its share of the devices at the next look of Prometheus."""
    await events.changed(session)
    for known in await session.scalars(queries.exporters()):
        if known.name == data.name:
            raise Conflict(f"exporter {data.name!r} already exists")
        if known.address == data.address:
            raise Conflict(f"{data.address} is the address of exporter {known.name!r}")
    exporter = Exporter(**data.model_dump(exclude={"site"}))
    exporter.site_id = await _site(session, data.site)
    session.add(exporter)
    await session.flush()
    await _refuse_none(session, settings)
    after = {**exporter.model_dump(include=SHOWN), "site": data.site}
    await trail.record(session, actor, Action.CREATE, NOUN, exporter, after=after)
    return await _one(session, settings, data.name)


async def update(
    session: AsyncSession, actor: Actor, settings: Settings, name: str, data: ExporterUpdate
) -> ExporterRead:
    """Change an exporter; to drain it is to give its devices to the others."""
    await events.changed(session)
    exporter = await _get(session, settings, name)
    before = await _one(session, settings, name)
    given = data.model_dump(exclude_unset=True)
    if "site" in given:
        exporter.site_id = await _site(session, given.pop("site"))
    exporter.sqlmodel_update(given)
    exporter.updated_at = now()
    await session.flush()
    await _refuse_none(session, settings)
    after = await _one(session, settings, name)
    shown = {*SHOWN, "site"}
    await trail.record(
        *(session, actor, Action.UPDATE, NOUN, exporter),
        before=before.model_dump(include=shown),
        after=after.model_dump(include=shown),
    )
    return after


async def delete(session: AsyncSession, actor: Actor, settings: Settings, name: str) -> None:
    """Remove an exporter; the others get its devices."""
    await events.changed(session)
    exporter = await _get(session, settings, name)
    before = exporter.model_dump(include=SHOWN)
    await session.delete(exporter)
    await session.flush()
    await _refuse_none(session, settings)
    await trail.record(session, actor, Action.DELETE, NOUN, exporter, before=before)


def _members(settings: Settings, registered: list[Exporter]) -> tuple[Member, ...]:
    own = [
        Member(e.name, e.address, e.site_id, weight=e.weight, draining=e.draining)
        for e in registered
    ]
    taken = {member.address for member in own}
    of_settings = [
        Member(f"settings-{number}", address, registered=False)
        for number, address in enumerate(settings.exporters, 1)
        if address not in taken
    ]
    return (*of_settings, *own)


async def _one(session: AsyncSession, settings: Settings, name: str) -> ExporterRead:
    return next(e for e in await read(session, settings) if e.name == name)


async def _get(session: AsyncSession, settings: Settings, name: str) -> Exporter:
    exporter = await session.scalar(queries.exporter(name))
    if exporter is not None:
        return exporter
    if any(member.name == name for member in _members(settings, [])):
        raise Conflict(f"{name} stands in CHM_EXPORTERS; register its address to change it")
    raise NotFound(f"there is no exporter {name!r}")


async def _refuse_none(session: AsyncSession, settings: Settings) -> None:
    members = (await assignment(session, settings)).members
    if all(member.draining for member in members):
        raise Conflict("no exporter would be left to ask the devices")


async def _site(session: AsyncSession, name: str | None) -> UUID | None:
    if name is None:
        return None
    site = await session.scalar(device_queries.any_site(name))
    if site is None:
        detail = f"there is no site {name!r}"
        raise Invalid(detail, Problem("/site", "unknown", detail))
    return site.id
