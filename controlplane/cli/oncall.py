"""`chm oncall`: who is on call, who stands in, and how they are told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.database import now
from controlplane.errors import ConfigurationError
from controlplane.escalation import oncall, policies, queries
from controlplane.escalation.schemas import (
    ContactRead,
    OnCall,
    OverrideRead,
    OverrideWrite,
    PolicyRead,
    PolicyWrite,
    ScheduleQuery,
    ScheduleRead,
    ScheduleWrite,
    TurnRead,
    TurnsQuery,
    WhoQuery,
)
from controlplane.settings import Settings

app = typer.Typer(help="On call: who is told when nobody acknowledges.", no_args_is_help=True)

Document = TypeVar("Document", bound=BaseModel)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List schedules with who is on call now."""

    async def work(session: AsyncSession) -> Sequence[ScheduleRead]:
        found = await session.scalars(queries.schedules(ScheduleQuery()).order_by("name"))
        return [await oncall.read(session, schedule) for schedule in found]

    output.rows(transact(Settings(), work), ("name", "time_zone", "on_call"), as_json=as_json)


@app.command("set")
def set_(file: Path, *, as_json: AsJson = False) -> None:
    """Add the schedule of a JSON document, or write the one of its name anew."""
    data = _document(file, ScheduleWrite)

    async def work(session: AsyncSession) -> ScheduleRead:
        known = await session.scalar(queries.schedule(data.name))
        if known is None:
            schedule = await oncall.create(session, shell(), data)
        else:
            schedule = await oncall.replace(session, shell(), data.name, data)
        return await oncall.read(session, schedule)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a schedule that no policy tells."""

    async def work(session: AsyncSession) -> None:
        await oncall.delete(session, shell(), name)

    transact(Settings(), work)


@app.command()
def who(
    name: str,
    *,
    at: Annotated[str | None, typer.Option(help="2026-12-01T22:00Z; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell who is on call at a moment."""
    moment = WhoQuery.model_validate({"at": at}).at or now()

    async def work(session: AsyncSession) -> OnCall:
        return await oncall.who(session, await oncall.get(session, name), moment)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command()
def turns(
    name: str,
    *,
    days: Annotated[int, typer.Option(help="From now on.")] = 28,
    as_json: AsJson = False,
) -> None:
    """Tell who is on call over the next days."""
    query = TurnsQuery(days=days)

    async def work(session: AsyncSession) -> list[TurnRead]:
        return await oncall.turns(session, await oncall.get(session, name), query)

    output.rows(transact(Settings(), work), ("start", "end", "person"), as_json=as_json)


@app.command("stand-in")
def stand_in(name: str, person: str, start: str, end: str, *, as_json: AsJson = False) -> None:
    """Have somebody stand in from one moment (2026-12-01T22:00Z) until another."""
    data = OverrideWrite.model_validate({"person": person, "starts_at": start, "ends_at": end})

    async def work(session: AsyncSession) -> OverrideRead:
        return OverrideRead.model_validate(await oncall.stand_in(session, shell(), name, data))

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("take-back")
def take_back(name: str, override: UUID) -> None:
    """Have somebody no longer stand in, by the id that `stand-in` gave."""

    async def work(session: AsyncSession) -> None:
        await oncall.take_back(session, shell(), name, override)

    transact(Settings(), work)


@app.command()
def contact(person: str, channel: str, *, as_json: AsJson = False) -> None:
    """Say by which channel somebody is told."""

    async def work(session: AsyncSession) -> ContactRead:
        made = await oncall.set_contact(session, shell(), person, channel)
        return ContactRead.model_validate(made)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("policies")
def list_policies(*, as_json: AsJson = False) -> None:
    """List escalation policies, in the order in which they are asked."""

    async def work(session: AsyncSession) -> Sequence[PolicyRead]:
        return [policies.read(policy) for policy in await session.scalars(queries.in_order())]

    columns = ("position", "name", "severities", "sites", "roles", "teams", "alertnames", "steps")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command("set-policy")
def set_policy(file: Path, *, as_json: AsJson = False) -> None:
    """Add the escalation policy of a JSON document, or write the one of its name anew."""
    data = _document(file, PolicyWrite)

    async def work(session: AsyncSession) -> PolicyRead:
        if await session.scalar(queries.policy(data.name)) is None:
            return policies.read(await policies.create(session, shell(), data))
        return policies.read(await policies.replace(session, shell(), data.name, data))

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("remove-policy")
def remove_policy(name: str) -> None:
    """Remove an escalation policy; what is under way keeps its steps."""

    async def work(session: AsyncSession) -> None:
        await policies.delete(session, shell(), name)

    transact(Settings(), work)


def _document(file: Path, kind: type[Document]) -> Document:
    try:
        return kind.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read {file}: {error.strerror}") from None
