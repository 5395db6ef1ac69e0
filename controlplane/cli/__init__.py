"""The command `chm`: everything an admin does in a shell, one module per noun."""

import sys

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError, ProgrammingError

from controlplane.cli import credential, dashboards, device, mib, rules, site, token, user
from controlplane.cli.init import init
from controlplane.cli.serve import serve, worker
from controlplane.cli.up import up
from controlplane.errors import ChmError, Problem, from_validation

app = typer.Typer(
    name="chm",
    help="Catalyst Health Monitor: what should be monitored, by whom, and how well.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(credential.app, name="credential")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(device.app, name="device")
app.add_typer(mib.app, name="mib")
app.add_typer(rules.app, name="rules")
app.add_typer(site.app, name="site")
app.add_typer(token.app, name="token")
app.add_typer(user.app, name="user")
app.command()(init)
app.command()(serve)
app.command()(up)
app.command()(worker)

WRONG = 2  # the exit code of a command that cannot be done as asked


def main() -> None:
    """Run the command line; an error is one line on standard error and exit code 2."""
    try:
        app()
    except ChmError as error:
        _fail(error.detail, error.problems)
    except OperationalError:
        _fail("the database does not answer", ())
    except ProgrammingError:
        _fail("the tables of the database are not of this version; `chm init` makes them", ())
    except ValidationError as error:
        _fail("this is not valid", from_validation(error.errors()))


def _fail(detail: str, problems: tuple[Problem, ...]) -> None:
    places = "; ".join(f"{p.pointer.lstrip('/')}: {p.message}" for p in problems)
    line = f"{detail} ({places})" if places and places != detail else detail
    sys.stderr.write(f"chm: {' '.join(line.split())}\n")
    raise SystemExit(WRONG)
