"""`chm rules`: the rule set that settings, people and the operator's files ask for."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.provisioning import promtool, queries, service
from controlplane.provisioning.differences import differences
from controlplane.provisioning.ruleset import RuleSet
from controlplane.provisioning.schemas import FileDifference, RuleRevisionRead
from controlplane.provisioning.service import rule_intent
from controlplane.provisioning.shipped_alerts import service as alerting
from controlplane.provisioning.shipped_alerts import shipped
from controlplane.provisioning.shipped_alerts.schemas import AlertRuleRead, AlertRuleUpdate
from controlplane.settings import Settings

app = typer.Typer(help="Alerting and recording rules.", no_args_is_help=True)

CHECK_SECONDS = 60.0
COLUMNS = ("created_at", "revision", "status", "detail")
SECONDS = "In seconds."


@app.command()
def render(
    *,
    out: Annotated[Path | None, typer.Option(help="A folder; else standard output.")] = None,
) -> None:
    """Write the rule files, the operator's own among them."""
    files = _build().files
    if out is None:
        for name, text in files.items():
            typer.echo(f"# {name}\n{text}")
        return
    _write(files, out)
    typer.echo(f"{len(files)} files in {out}")


@app.command()
def check() -> None:
    """Check the rule files as a deployment would; the exit code is 2 where promtool refuses."""
    wanted = _build()
    with tempfile.TemporaryDirectory(prefix="chm-rules-") as folder:
        paths = _write(wanted.files, Path(folder))
        asyncio.run(_passes(wanted, paths))
    typer.echo(f"revision {wanted.revision}: {len(wanted.files)} files are good")


@app.command("list")
def list_(
    *, limit: Annotated[int, typer.Option(min=1, max=1_000)] = 20, as_json: AsJson = False
) -> None:
    """List the attempts to put a rule set in force, the newest first."""

    async def work(session: AsyncSession) -> list[RuleRevisionRead]:
        statement = queries.revisions().order_by(queries.ORDERING["id"].desc()).limit(limit)
        return [RuleRevisionRead.model_validate(row) for row in await session.scalars(statement)]

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def diff(
    revision: Annotated[
        str, typer.Argument(help="Of the list; without one, what the next deployment changes.")
    ] = "",
    *,
    against: Annotated[str, typer.Option(help="Another revision than the one before.")] = "",
) -> None:
    """Show what a rule set changes, file by file."""
    settings = Settings()

    async def work(session: AsyncSession) -> list[FileDifference]:
        if revision:
            return (await service.compare(session, revision, against or None)).files
        last = await session.scalar(queries.in_force())
        before = (await service.files(session, last)).files if last else {}
        return differences(before, (await service.wanted(session, settings)).files)

    for one in transact(settings, work):
        typer.echo(f"{one.file}\n{one.difference}\n")


@app.command()
def alerts(*, as_json: AsJson = False) -> None:
    """List the alerts that are shipped, as they are in force."""
    intent = rule_intent(Settings())

    async def work(session: AsyncSession) -> list[AlertRuleRead]:
        return await alerting.read(session, intent, list(shipped.by_name(intent)))

    columns = ("name", "severities", "enabled", "for_seconds", "keep_firing_for_seconds")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def change(
    alert: str,
    *,
    hold: Annotated[int | None, typer.Option("--for", help=SECONDS)] = None,
    keep: Annotated[int | None, typer.Option("--keep-firing-for", help=SECONDS)] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable")] = None,
    as_shipped: Annotated[bool, typer.Option(help="Take back what was changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change when a shipped alert fires and ends, or switch it off."""
    given = {"for_seconds": hold, "keep_firing_for_seconds": keep, "enabled": enabled}
    wanted = {name: value for name, value in given.items() if value is not None}
    shipped_so = {"for_seconds": None, "keep_firing_for_seconds": None, "enabled": True}
    data = AlertRuleUpdate.model_validate({**(shipped_so if as_shipped else {}), **wanted})
    intent = rule_intent(Settings())

    async def work(session: AsyncSession) -> AlertRuleRead:
        return await alerting.update(session, shell(), intent, alert, data)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


async def _passes(wanted: RuleSet, paths: list[Path]) -> None:
    await promtool.check_rules("promtool", paths, CHECK_SECONDS)
    await promtool.test_rules("promtool", wanted.played, wanted.behaviour, CHECK_SECONDS)


def _build() -> RuleSet:
    settings = Settings()

    async def work(session: AsyncSession) -> RuleSet:
        return await service.wanted(session, settings)

    return transact(settings, work)


def _write(files: Mapping[str, str], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]
