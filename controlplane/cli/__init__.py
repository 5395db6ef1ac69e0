"""The command `chm`: everything an admin does in a shell, one module per noun."""

import typer

app = typer.Typer(
    name="chm",
    help="Catalyst Health Monitor: what should be monitored, by whom, and how well.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line."""
    app()
