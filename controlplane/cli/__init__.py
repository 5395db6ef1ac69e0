"""The command `chm`: everything an admin does in a shell, one module per noun."""

import sys
from importlib import import_module

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError, ProgrammingError

from controlplane.errors import ChmError, Problem, from_validation

# Each in the module of its name, which is loaded when it is called for: a shell does not wait.
NOUNS = (
    *(
        "alert",
        "audit",
        "auth",
        "baseline",
        "channel",
        "credential",
        "dashboards",
        "device",
        "event",
        "exporter",
        "grant",
    ),
    *(
        "group",
        "interface",
        "maintenance",
        "mfa",
        "mib",
        "oncall",
        "role",
        "route",
        "rule",
        "rules",
        "session",
        "site",
    ),
    *("tag", "targets", "threshold", "token", "user", "vault"),
)
CATALOGUE = (  # all in one module
    *("contact", "custom-field", "device-role", "device-type", "platform", "poll-class", "tenant"),
)
VERBS = {  # the module and the function of each
    "changes": ("changes", "changes"),
    "export": ("transfer", "export"),
    "import": ("transfer", "import_"),
    "init": ("init", "init"),
    "serve": ("serve", "serve"),
    "up": ("up", "up"),
    "worker": ("serve", "worker"),
}
WRONG = 2  # the exit code of a command that cannot be done as asked


def command_line(called: str | None = None) -> typer.Typer:
    """Make the command line: with the one command that is called, or with all of them."""
    app = typer.Typer(
        name="chm",
        help="Catalyst Health Monitor: what should be monitored, by whom, and how well.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_nothing)  # so that a single command keeps its name

    def wanted(name: str) -> bool:
        return called not in {*NOUNS, *CATALOGUE, *VERBS} or called == name

    for noun in filter(wanted, NOUNS):
        app.add_typer(import_module(f"controlplane.cli.{noun}").app, name=noun)
    for noun in filter(wanted, CATALOGUE):
        app.add_typer(import_module("controlplane.cli.catalogue").commands(noun), name=noun)
    for verb, (module, function) in VERBS.items():
        if wanted(verb):
            app.command(verb)(getattr(import_module(f"controlplane.cli.{module}"), function))
    return app


def _nothing() -> None:
    pass


def main() -> None:
    """Run the command line; an error is one line on standard error and exit code 2."""
    try:
        command_line(sys.argv[1] if len(sys.argv) > 1 else None)()
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
