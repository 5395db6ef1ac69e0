"""`chm targets`: what Prometheus is given to ask."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.targets import gate
from controlplane.targets.schemas import Allowance, TargetsRead

app = typer.Typer(help="Targets: what Prometheus is given to ask.", no_args_is_help=True)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show whether the lists are withheld, and which devices would vanish with them."""
    _show(transact(Settings(), gate.status), as_json=as_json)


@app.command()
def confirm(
    *,
    least: Annotated[
        int | None, typer.Option(help="As few devices as this; else as many as there are now.")
    ] = None,
    minutes: Annotated[int, typer.Option(help="For how long.")] = 15,
    as_json: AsJson = False,
) -> None:
    """Let the lists shrink: the devices that are missing from them were removed on purpose."""
    data = Allowance(least=least, minutes=minutes)

    async def work(session: AsyncSession) -> TargetsRead:
        return await gate.confirm(session, shell(), data)

    _show(transact(Settings(), work), as_json=as_json)


def _show(state: TargetsRead, *, as_json: bool) -> None:
    output.item(state.model_dump(mode="json"), as_json=as_json)
