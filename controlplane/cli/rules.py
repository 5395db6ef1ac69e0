"""`chm rules`: the rule set that the settings and the operator's files ask for."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from controlplane.provisioning import promtool, ruleset
from controlplane.provisioning.ruleset import RuleSet
from controlplane.provisioning.service import rule_intent
from controlplane.settings import Settings

app = typer.Typer(help="Alerting and recording rules.", no_args_is_help=True)

CHECK_SECONDS = 60.0


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
        asyncio.run(promtool.check_rules("promtool", paths, CHECK_SECONDS))
    typer.echo(f"revision {wanted.revision}: {len(wanted.files)} files are good")


def _build() -> RuleSet:
    settings = Settings()
    return ruleset.build(rule_intent(settings), settings.local_rules)


def _write(files: Mapping[str, str], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]
