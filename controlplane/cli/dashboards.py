"""`chm dashboards`: the boards as JSON files."""

from pathlib import Path
from typing import Annotated

import typer

from controlplane.provisioning import boards
from controlplane.settings import Settings

app = typer.Typer(help="Grafana dashboards as code.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `render` a sub-command although it is the only one."""


@app.command()
def render(
    *, out: Annotated[Path | None, typer.Option(help="A folder; else the stack's own.")] = None
) -> None:
    """Write the dashboards where Grafana finds them."""
    folder = out or Settings().dashboards_folder
    for name in boards.deploy(folder):
        typer.echo(folder / name)
