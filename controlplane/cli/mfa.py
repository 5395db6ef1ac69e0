"""`chm mfa`: second factors of people."""

import typer

from controlplane.auth import accounts
from controlplane.auth.actor import shell
from controlplane.cli.work import transact
from controlplane.settings import Settings

app = typer.Typer(help="Second factors of people.", no_args_is_help=True)
app.callback()(lambda: None)  # so that the single command keeps its name


@app.command()
def reset(name: str) -> None:
    """Remove the second factor of a person who lost it; their logins end, the log knows."""
    work = accounts.remove_second_factor
    transact(Settings(), lambda session: work(session, shell(), name))
