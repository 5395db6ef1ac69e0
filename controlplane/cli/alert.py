"""`chm alert`: what fires, who has it, and what it came to."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import database, pagination
from controlplane.alerts import (
    acknowledgements,
    manual,
    notes,
    queries,
    reading,
    service,
    statistics,
)
from controlplane.alerts.models import AlertState
from controlplane.alerts.schemas import (
    Acknowledge,
    AlertQuery,
    AlertRead,
    Commented,
    Resolve,
    Statistics,
    StatisticsQuery,
    StepRead,
)
from controlplane.alerts.watch import Holder
from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import Sessions, transact, with_sessions
from controlplane.clients.alertmanager import Alertmanager
from controlplane.database import now
from controlplane.settings import Settings

app = typer.Typer(help="Alerts and who has them.", no_args_is_help=True)

COLUMNS = ("id", "state", "severity", "alertname", "device", "site", "starts_at", "assignee")
Result = TypeVar("Result")

Ids = Annotated[list[UUID], typer.Argument(help="One or several, as `chm alert list` has them.")]
Words = Annotated[str, typer.Option("--comment", help="Why, for those who look later.")]


@app.command("list")
def list_(
    *,
    state: Annotated[AlertState | None, typer.Option(help="Only in this state.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only of this severity.")] = None,
    device: Annotated[str | None, typer.Option(help="Only of this device.")] = None,
    site: Annotated[str | None, typer.Option(help="Only at this site.")] = None,
    team: Annotated[str | None, typer.Option(help="Only of devices of this team.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only what this person sees to.")] = None,
    over: Annotated[bool, typer.Option(help="Also what is over.")] = False,
    roots: Annotated[bool, typer.Option(help="Without symptoms.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    q: Annotated[str, typer.Option(help="Part of a name or text.")] = "",
    as_json: AsJson = False,
) -> None:
    """List alerts that fire, the newest first."""
    filters: dict[str, Any] = {"state": state, "severity": severity, "device": device}
    filters |= {
        "site": site,
        "team": team,
        "assignee": assignee,
        "root": roots or None,
        "limit": limit,
        "q": q,
    }
    if not over and state is None:
        filters["status"] = "firing"
    query = AlertQuery.model_validate(filters)

    async def work(session: AsyncSession) -> list[AlertRead]:
        listed = pagination.ordered(
            queries.alerts(shell(), query), query.ordering, queries.ORDERING, "id"
        )
        rows = list(await session.scalars(listed.statement.limit(query.limit)))
        return await reading.read(session, shell(), rows)

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def show(alert_id: UUID, *, as_json: AsJson = False) -> None:
    """Show an alert and what happened to it."""

    async def work(session: AsyncSession) -> dict[str, Any]:
        alert = await service.get(session, shell(), alert_id)
        read = await reading.read_one(session, shell(), alert)
        steps = [StepRead.model_validate(s) for s in await session.scalars(queries.steps(alert.id))]
        return read.model_dump(mode="json") | {
            "history": [step.model_dump(mode="json") for step in steps]
        }

    output.item(transact(Settings(), work), as_json=as_json)


@app.command()
def ack(
    alert_ids: Ids,
    *,
    comment: Words = "",
    minutes: Annotated[
        float | None, typer.Option(help="Until then; without it until the alert is over.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say that you have alerts: nobody else is told while they fire."""
    expires = None if minutes is None else now() + timedelta(minutes=minutes)
    data = Acknowledge(comment=comment, expires_at=expires)

    async def work(session: AsyncSession) -> list[AlertRead]:
        rows = await acknowledgements.acknowledge(session, shell(), alert_ids, data)
        return await reading.read(session, shell(), rows)

    output.rows(_decide(work), COLUMNS, as_json=as_json)


@app.command()
def unack(alert_id: UUID, *, as_json: AsJson = False) -> None:
    """Say that nobody has an alert any more."""

    async def work(session: AsyncSession) -> AlertRead:
        alert = await acknowledgements.unacknowledge(session, shell(), alert_id)
        return await reading.read_one(session, shell(), alert)

    _show(_decide(work), as_json=as_json)


@app.command()
def resolve(alert_id: UUID, *, comment: Words = "", as_json: AsJson = False) -> None:
    """End an alert that was made by hand."""
    data = Resolve(comment=comment)

    async def work(session: AsyncSession) -> AlertRead:
        alert = await manual.resolve(session, shell(), alert_id, data.comment)
        return await reading.read_one(session, shell(), alert)

    _show(_decide(work), as_json=as_json)


@app.command()
def comment(alert_id: UUID, words: str, *, as_json: AsJson = False) -> None:
    """Add words to the history of an alert."""
    data = Commented(comment=words)

    async def work(session: AsyncSession) -> AlertRead:
        alert = await notes.comment(session, shell(), alert_id, data.comment)
        return await reading.read_one(session, shell(), alert)

    _show(transact(Settings(), work), as_json=as_json)


@app.command()
def assign(
    alert_id: UUID,
    person: Annotated[str, typer.Argument(help="Who sees to it; nobody where left out.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Say who sees to an alert."""

    async def work(session: AsyncSession) -> AlertRead:
        alert = await notes.assign(session, shell(), alert_id, person or None)
        return await reading.read_one(session, shell(), alert)

    _show(transact(Settings(), work), as_json=as_json)


@app.command()
def stats(
    *,
    days: Annotated[float, typer.Option(help="The last so many days.", min=0.01)] = 7,
    as_json: AsJson = False,
) -> None:
    """Show how many, how loud, how fast, and what makes the most noise."""
    until = now()
    query = StatisticsQuery(since=until - timedelta(days=days), until=until)

    async def work(session: AsyncSession) -> Statistics:
        return await statistics.gather(session, shell(), query)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


def _decide(work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    """Do what Alertmanager must be told of, and tell it; else the worker does within seconds."""
    settings = Settings()

    async def run(sessions: Sessions) -> Result:
        async with sessions.begin() as session:
            await database.reach(session)
            result = await work(session)
        async with Alertmanager.at(settings.alertmanager_url) as alertmanager:
            await Holder(sessions, alertmanager).hold()
        return result

    return with_sessions(settings, run)


def _show(alert: AlertRead, *, as_json: bool) -> None:
    output.item(alert.model_dump(mode="json"), as_json=as_json)
