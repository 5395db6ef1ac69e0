"""`chm audit`: who did what, and the proof that nobody rewrote it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import anchors, export, queries, verification
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.audit.schemas import AuditFilter, AuditRead, ExportQuery, Format
from controlplane.audit.verification import Verdict
from controlplane.auth import keys
from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings

app = typer.Typer(help="The audit log.", no_args_is_help=True)

BROKEN = 1
COLUMNS = ("seq", "at", "action", "outcome", "actor_name", "address", "object_type", "object_name")

By = Annotated[str | None, typer.Option("--actor", help="Only by this actor.")]
Of = Annotated[Action | None, typer.Option("--action", help="Only this action.")]
Object = Annotated[str | None, typer.Option("--object", help="Only about this object.")]
Since = Annotated[datetime | None, typer.Option(help="Not before this moment, local time.")]


@app.command("list")
def list_(
    *,
    actor: By = None,
    action: Of = None,
    about: Object = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List entries, the newest first."""
    filters = {"actor": actor, "action": action, "object_name": about, "since": _aware(since)}
    wanted = AuditFilter.model_validate(filters)

    async def work(session: AsyncSession) -> Sequence[AuditRead]:
        statement = queries.entries(wanted).order_by(queries.ORDERING["seq"].desc()).limit(limit)
        return [AuditRead.model_validate(entry) for entry in await session.scalars(statement)]

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def verify(
    *,
    anchor: Annotated[
        list[str] | None,
        typer.Option(metavar="ENTRY:CODE", help="As noted in the log; may be given several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk the whole log; where an entry is broken, name the first and end with exit code 1."""
    settings = Settings()
    key = keys.load(settings.secrets / "audit.key")
    noted = {**anchors.read(settings.audit_anchors), **dict(map(_anchor, anchor or ()))}

    async def work(session: AsyncSession) -> tuple[Verdict, bool]:
        verdict = await verification.verify(session, key, noted)
        return verdict, await verification.can_rewrite(session)

    verdict, rewritable = transact(settings, work)
    broken = verdict.broken
    output.item(
        {
            "good": broken is None,
            "entries": verdict.entries,
            "last_good": f"{verdict.head.seq}:{verdict.head.mac}",
            "broken_entry": broken.seq if broken else None,
            "reason": broken.reason if broken else None,
            "anchors": len(noted),
            "rewritable": rewritable,
        },
        as_json=as_json,
    )
    if rewritable:
        typer.echo("the database role of the application could rewrite the log", err=True)
    if broken:
        raise typer.Exit(BROKEN)


@app.command("export")
def export_(
    *,
    form: Annotated[Format, typer.Option("--format")] = Format.JSONL,
    out: Annotated[Path | None, typer.Option(help="A file; else standard output.")] = None,
    actor: By = None,
    action: Of = None,
    about: Object = None,
    since: Since = None,
) -> None:
    """Write entries, oldest first, as CSV or as lines of JSON."""
    filters = {"actor": actor, "action": action, "object_name": about, "since": _aware(since)}
    wanted = ExportQuery.model_validate({**filters, "format": form})

    async def work(session: AsyncSession) -> list[str]:
        asked = {name: value for name, value in filters.items() if value is not None}
        after = wanted.model_dump(mode="json", include={*asked, "format"})
        await audit.record(session, Action.AUDIT_EXPORTED, who=shell().who, after=after)
        statement = queries.entries(wanted).order_by(queries.ORDERING["seq"])
        return [piece async for piece in export.stream(session, statement, form)]

    text = "".join(transact(Settings(), work))
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8", newline="")


def _aware(moment: datetime | None) -> datetime | None:
    return moment.astimezone() if moment else None


def _anchor(text: str) -> tuple[int, str]:
    entry, _, code = text.partition(":")
    if not entry.isdecimal() or not code:
        raise typer.BadParameter(f"{text!r} is not ENTRY:CODE")
    return int(entry), code
