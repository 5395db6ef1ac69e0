"""`chm maintenance`: planned work, of which nobody is told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.maintenance import queries, service
from controlplane.maintenance.schemas import (
    OccurrenceQuery,
    OccurrenceRead,
    WindowCreate,
    WindowQuery,
    WindowRead,
)
from controlplane.settings import Settings

app = typer.Typer(help="Maintenance: planned work, of which nobody is told.", no_args_is_help=True)

COLUMNS = (
    "name",
    "active",
    "occurrence",
    "recurrence",
    "devices",
    "sites",
    "tags",
    "groups",
    "dependants",
)
MINUTE = 60


@app.command()
def add(
    name: str,
    *,
    start: Annotated[str, typer.Option(help="On the wall clock: 2026-12-01T22:00.")],
    minutes: Annotated[int, typer.Option(help="How long it takes.")],
    time_zone: Annotated[str, typer.Option(help="Of the wall clock.")] = "UTC",
    recurrence: Annotated[str, typer.Option(help="Such as FREQ=WEEKLY;BYDAY=SU.")] = "",
    exception: Annotated[
        list[str] | None, typer.Option("--except", help="A day on which it does not start.")
    ] = None,
    device: Annotated[list[str] | None, typer.Option(help="May be given several times.")] = None,
    site: Annotated[list[str] | None, typer.Option(help="With all below it.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="What carries it.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Whatever is in it.")] = None,
    dependants: Annotated[bool, typer.Option(help="What is reached through these alone.")] = False,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    as_json: AsJson = False,
) -> None:
    """Plan maintenance."""
    data = WindowCreate.model_validate(
        {
            "name": name,
            "description": description,
            "starts_at": start,
            "duration": minutes * MINUTE,
            "time_zone": time_zone,
            "recurrence": recurrence,
            "exceptions": exception or [],
            "devices": device or [],
            "sites": site or [],
            "tags": tag or [],
            "groups": group or [],
            "dependants": dependants,
        }
    )

    async def work(session: AsyncSession) -> WindowRead:
        return await service.create(session, shell(), data)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(
    *,
    device: Annotated[str | None, typer.Option(help="Only what covers this device.")] = None,
    as_json: AsJson = False,
) -> None:
    """List windows."""
    query = WindowQuery.model_validate({"device": device})

    async def work(session: AsyncSession) -> Sequence[WindowRead]:
        found = await session.scalars(queries.windows(shell(), query).order_by("name"))
        return await service.read(session, shell(), list(found))

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def devices(name: str, *, as_json: AsJson = False) -> None:
    """Name the devices that a window covers as the inventory stands."""

    async def work(session: AsyncSession) -> list[str]:
        window = await service.get(session, shell(), name)
        return await service.devices(session, shell(), window)

    output.item({"devices": transact(Settings(), work)}, as_json=as_json)


@app.command()
def occurrences(
    name: str,
    *,
    after: Annotated[datetime | None, typer.Option(help="In UTC; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell when a window is open, in UTC."""
    moment = f"{after.isoformat()}Z" if after is not None else None
    query = OccurrenceQuery.model_validate({"after": moment})

    async def work(session: AsyncSession) -> list[OccurrenceRead]:
        return service.occurrences(await service.get(session, shell(), name), query)

    output.rows(transact(Settings(), work), ("start", "end"), as_json=as_json)


@app.command()
def cancel(name: str) -> None:
    """Cancel a window; one that is open ends now."""

    async def work(session: AsyncSession) -> None:
        await service.cancel(session, shell(), name)

    transact(Settings(), work)
