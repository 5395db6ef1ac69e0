"""`chm import` and `chm export`: the inventory as a file, also from other systems."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from rich import progress as bars
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact, vault, with_sessions
from controlplane.devices.addresses import Reach
from controlplane.devices.models import Status
from controlplane.errors import ConfigurationError
from controlplane.jobs.progress import Progress
from controlplane.settings import Settings
from controlplane.transfer import formats, service, sources
from controlplane.transfer.formats import Format
from controlplane.transfer.schemas import ExportQuery, ImportQuery, ImportReport, Mode
from controlplane.transfer.sources import Source
from controlplane.transfer.tables import Kind

FAULTY = 1  # the exit code of a trial that found something wrong
Form = Annotated[Format, typer.Option("--format", help="How it is written.")]
Out = Annotated[Path | None, typer.Option(help="Instead of standard output.")]
SUFFIXES = ((".csv", Source.CSV), (".yaml", Source.YAML), (".yml", Source.YAML))


def import_(
    file: Path,
    *,
    source: Annotated[
        Source | None, typer.Option("--from", "--format", help="Else by the file's name.")
    ] = None,
    kind: Annotated[Kind, typer.Option(help="What the rows of a CSV are.")] = Kind.DEVICES,
    mode: Annotated[Mode, typer.Option(help="Add only, change only, or both.")] = Mode.UPSERT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell, and keep nothing.")] = False,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Make credentials of another system's secrets.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add or change what a file holds, all or none; exit code 1 where a trial found errors."""
    settings = Settings()
    query = ImportQuery(mode=mode, kind=kind, dry_run=dry_run, secrets=secrets)
    wanted = source or dict(SUFFIXES).get(file.suffix.lower(), Source.JSON)
    given = sources.read(wanted, formats.decode(_content(file, settings)), query)
    reach = Reach.of(settings)

    with _bar() as bar:

        async def work(session: AsyncSession) -> ImportReport:
            return await service.load(session, shell(), vault(settings), reach, given, query, bar)

        report = transact(settings, work)
    output.item(report.model_dump(mode="json"), as_json=as_json)
    if report.errors:
        raise typer.Exit(FAULTY)


def export(
    *,
    form: Form = Format.JSON,
    out: Out = None,
    site: Annotated[str | None, typer.Option(help="Only devices at this site.")] = None,
    role: Annotated[str | None, typer.Option(help="Only of this role.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Only of this vendor.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only in this status.")] = None,
    group: Annotated[str | None, typer.Option(help="Only what this group holds.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    q: Annotated[str, typer.Option(help="Part of a name or address.")] = "",
) -> None:
    """Write sites and devices so that they can be imported again; CSV has devices alone."""
    filters = {"site": site, "role": role, "vendor": vendor, "status": status, "group": group}
    query = ExportQuery.model_validate({"format": form, **filters, "tag": tag, "q": q})
    with written(out) as file:
        with_sessions(Settings(), lambda given: service.export(given, shell(), query, file))


@contextmanager
def written(out: Path | None) -> Iterator[IO[str]]:
    """Open what an export is written to: a file, or standard output."""
    if out is None:
        yield sys.stdout
    else:
        with out.open("w", encoding="utf-8", newline="") as file:
            yield file


def _content(file: Path, settings: Settings) -> bytes:
    """Read a file that is no larger than what may be sent over HTTP."""
    try:
        with file.open("rb") as opened:
            content = opened.read(settings.max_request_bytes + 1)
    except OSError as error:
        raise ConfigurationError(f"cannot read {file}: {error.strerror}") from None
    if len(content) > settings.max_request_bytes:
        raise ConfigurationError(f"{file} has more than {settings.max_request_bytes} bytes")
    return content


class _Shown(Progress):
    """Progress that moves a bar."""

    def __init__(self, bar: bars.Progress) -> None:
        super().__init__()
        self._bar = bar
        self._task = bar.add_task("importing", total=None)

    def advance(self, steps: int = 1) -> None:
        """Count steps that are done, and show it."""
        super().advance(steps)
        self._bar.update(self._task, completed=self.done, total=self.total)


@contextmanager
def _bar() -> Iterator[Progress]:
    """Show a bar while the work lasts, where a person looks at standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Progress()
        return
    with bars.Progress(console=console, transient=True) as bar:
        yield _Shown(bar)
