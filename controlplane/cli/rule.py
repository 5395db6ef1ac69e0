"""`chm rule`: the alerting rules that people write, from draft to in force."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.clients.prometheus import Prometheus
from controlplane.errors import ConfigurationError
from controlplane.provisioning.alerting_rules import previewing, queries, service, work
from controlplane.provisioning.alerting_rules.models import RuleSeverity
from controlplane.provisioning.alerting_rules.previewing import Previewer
from controlplane.provisioning.alerting_rules.schemas import (
    PreviewQuery,
    PreviewRead,
    RuleCreate,
    RuleQuery,
    RuleRead,
    RuleUpdate,
)
from controlplane.settings import Settings

app = typer.Typer(help="Alerting rules that people write.", no_args_is_help=True)

COLUMNS = ("name", "severity", "status", "samples", "site", "owner", "summary", "failure")

Result = TypeVar("Result")
Work = Callable[[AsyncSession, Previewer], Awaitable[Result]]

Expr = Annotated[str | None, typer.Option(help="PromQL: the alert is for each of its results.")]
Summary = Annotated[str | None, typer.Option(help="A line for people, such as of a pager.")]
Description = Annotated[str | None, typer.Option(help="More for people.")]
Runbook = Annotated[Path | None, typer.Option(help="A file of Markdown: what to do about it.")]
Severity = Annotated[RuleSeverity | None, typer.Option(help="How loud it is.")]
For = Annotated[int | None, typer.Option("--for", help="Seconds for which it must be so.")]
Keep = Annotated[
    int | None, typer.Option("--keep-firing-for", help="Seconds for which the alert outlives it.")
]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the rules that people wrote."""

    async def read(session: AsyncSession) -> Sequence[RuleRead]:
        found = await session.scalars(queries.rules(shell(), RuleQuery()).order_by("name"))
        return await service.read(session, shell(), list(found))

    output.rows(transact(Settings(), read), COLUMNS, as_json=as_json)


@app.command()
def show(name: str, *, as_json: AsJson = False) -> None:
    """Show a rule that somebody wrote."""

    async def read(session: AsyncSession) -> RuleRead:
        rule = await service.get(session, shell(), name)
        return (await service.read(session, shell(), [rule]))[0]

    output.item(transact(Settings(), read).model_dump(mode="json"), as_json=as_json)


@app.command()
def add(
    name: str,
    *,
    expr: Expr,
    summary: Summary,
    site: Annotated[
        str | None, typer.Option(help="About this site and all below it alone.")
    ] = None,
    severity: Severity = None,
    hold: For = None,
    keep: Keep = None,
    description: Description = None,
    runbook: Runbook = None,
    as_json: AsJson = False,
) -> None:
    """Write a rule; it is a draft until it is enabled."""
    fields = _given(expr, summary, severity, hold, keep, description, runbook)
    data = RuleCreate.model_validate({"name": name, "site": site, **fields})

    async def create(session: AsyncSession, tools: Previewer) -> RuleRead:
        return await service.create(session, shell(), tools.checker, data)

    _show(create, as_json=as_json)


@app.command()
def change(
    name: str,
    *,
    expr: Expr = None,
    summary: Summary = None,
    severity: Severity = None,
    hold: For = None,
    keep: Keep = None,
    description: Description = None,
    runbook: Runbook = None,
    as_json: AsJson = False,
) -> None:
    """Change a rule; one that is in force changes within seconds."""
    fields = _given(expr, summary, severity, hold, keep, description, runbook)
    data = RuleUpdate.model_validate(fields)

    async def update(session: AsyncSession, tools: Previewer) -> RuleRead:
        return await service.update(session, shell(), tools.checker, tools.evaluator, name, data)

    _show(update, as_json=as_json)


@app.command()
def preview(
    name: str,
    *,
    days: Annotated[int, typer.Option(help="How far to look back.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Tell what a rule would have done over the last days, and what it costs."""
    asked = PreviewQuery(days=days)

    async def look(session: AsyncSession, tools: Previewer) -> PreviewRead:
        data = await previewing.stored(session, shell(), name)
        prepared = await tools.prepare(session, shell(), data, asked.days)
        return await tools.run(session, shell(), prepared)

    _show(look, as_json=as_json)


@app.command()
def enable(name: str, *, as_json: AsJson = False) -> None:
    """Put a rule in force, or try again where that failed."""

    async def put(session: AsyncSession, tools: Previewer) -> RuleRead:
        return await service.enable(session, shell(), tools.checker, tools.evaluator, name)

    _show(put, as_json=as_json)


@app.command()
def disable(name: str, *, as_json: AsJson = False) -> None:
    """Take a rule out of force: it is a draft again."""

    async def put(session: AsyncSession, _tools: Previewer) -> RuleRead:
        return await service.disable(session, shell(), name)

    _show(put, as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a rule, whether it is in force or not."""

    async def delete(session: AsyncSession) -> None:
        await service.delete(session, shell(), name)

    transact(Settings(), delete)


def _given(  # noqa: PLR0917 - one for each option
    expr: str | None,
    summary: str | None,
    severity: RuleSeverity | None,
    hold: int | None,
    keep: int | None,
    description: str | None,
    runbook: Path | None,
) -> dict[str, Any]:
    fields = {
        "expr": expr,
        "summary": summary,
        "severity": severity,
        "for_seconds": hold,
        "keep_firing_for_seconds": keep,
        "description": description,
        "runbook": None if runbook is None else _text(runbook),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {file}: {error}") from None


def _show(does: Work[RuleRead] | Work[PreviewRead], *, as_json: bool) -> None:
    settings = Settings()

    async def done(session: AsyncSession) -> RuleRead | PreviewRead:
        async with Prometheus.at(settings.prometheus_url) as prometheus:
            return await does(session, work.previewer(settings, prometheus))

    output.item(transact(settings, done).model_dump(mode="json"), as_json=as_json)
