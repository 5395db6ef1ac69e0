"""`chm channel`: the ways to tell people; secrets are prompted for, not arguments."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact, vault
from controlplane.clients.notifier import Notifier
from controlplane.errors import Invalid
from controlplane.escalation import channels
from controlplane.notifications import queries, service, trial
from controlplane.notifications.destinations import Destinations
from controlplane.notifications.kinds import BY_KIND, Kind
from controlplane.notifications.schemas import ChannelCreate, ChannelRead, ChannelUpdate, TestRead
from controlplane.notifications.service import Keeper
from controlplane.settings import Settings

app = typer.Typer(help="Channels: the ways to tell people of alerts.", no_args_is_help=True)

COLUMNS = ("name", "kind", "options", "secrets", "send_resolved", "cap", "problem")
NOT_DELIVERED = 1  # the exit code of a test that did not arrive
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="NAME=VALUE of the kind; a list or a number as JSON."),
]
Capped = Annotated[
    str | None,
    typer.Option(help='{"notifications": N, "seconds": S}: how much it may be told; or none.'),
]


@app.command()
def add(
    name: str,
    kind: Annotated[str, typer.Option(help=", ".join(BY_KIND))],
    *,
    given: Sets = None,
    secret: Annotated[list[str] | None, typer.Option(help="An optional secret to ask for.")] = None,
    cap: Capped = None,
    as_json: AsJson = False,
) -> None:
    """Add a channel; its secrets are asked for, or read from standard input by line."""
    options = _options(_kind(kind), given or ()) | _secrets(_needed(kind), secret or ())
    fields = {"name": name, "options": {"kind": kind, **options}}
    if cap is not None:
        fields["cap"] = _cap(cap)
    data = ChannelCreate.model_validate(fields)
    settings = Settings()

    async def work(session: AsyncSession) -> ChannelRead:
        return service.read(await service.create(session, shell(), _keeper(settings), data), {})

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


@app.command("set")
def set_(
    name: str,
    *,
    given: Sets = None,
    secret: Annotated[list[str] | None, typer.Option(help="A secret to ask for.")] = None,
    send_resolved: Annotated[bool | None, typer.Option("--resolved/--no-resolved")] = None,
    cap: Capped = None,
    as_json: AsJson = False,
) -> None:
    """Change a channel; what is not named stays."""
    settings = Settings()
    asked = _secrets((), secret or ())

    async def work(session: AsyncSession) -> ChannelRead:
        kind = BY_KIND[(await service.get(session, name)).options["kind"]]
        fields: dict[str, Any] = {"options": _options(kind, given or ()) | asked}
        if send_resolved is not None:
            fields["send_resolved"] = send_resolved
        if cap is not None:
            fields["cap"] = _cap(cap)
        data = ChannelUpdate.model_validate(fields)
        return service.read(
            await service.update(session, shell(), _keeper(settings), name, data), {}
        )

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List channels without their secrets, those of the installation first."""
    settings = Settings()

    async def work(session: AsyncSession) -> Sequence[ChannelRead]:
        left_out = await service.left_out(session)
        made = [service.read(c, left_out) for c in await session.scalars(queries.channels())]
        return [*service.built_in(settings), *made]

    output.rows(transact(settings, work), COLUMNS, as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a channel that no route, escalation or person on call is told by."""

    async def work(session: AsyncSession) -> None:
        await service.delete(session, shell(), name, channels.uses)

    transact(Settings(), work)


@app.command("test")
def try_(name: str, *, as_json: AsJson = False) -> None:
    """Send a real notification to this channel alone; ends with 1 unless it was delivered."""
    settings = Settings()

    async def work(session: AsyncSession) -> TestRead:
        async with Notifier.at(settings.alertmanager_url) as notifier:
            place = trial.Place(settings, vault(settings), Destinations.of(settings), notifier)
            return await trial.run(session, shell(), place, name)

    result = transact(settings, work)
    output.item(result.model_dump(mode="json"), as_json=as_json)
    if result.result != "delivered":
        raise typer.Exit(NOT_DELIVERED)


def _keeper(settings: Settings) -> Keeper:
    return Keeper(vault(settings), Destinations.of(settings))


def _kind(name: str) -> type[Kind]:
    if name not in BY_KIND:
        raise Invalid(f"there is no kind {name!r}, only {', '.join(BY_KIND)}")
    return BY_KIND[name]


def _needed(kind: str) -> list[str]:
    """Give the secrets without which there is no such channel."""
    fields = _kind(kind).model_fields
    secret = _kind(kind).secret_names()
    return [name for name, field in fields.items() if name in secret and field.is_required()]


def _secrets(needed: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    return {
        name: typer.prompt(name.replace("_", " "), hide_input=True, err=True)
        for name in dict.fromkeys((*needed, *wanted))
    }


def _options(kind: type[Kind], given: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE; secrets would stand in the history of the shell, so they are refused."""
    options: dict[str, Any] = {}
    for pair in given:
        name, equal, value = pair.partition("=")
        if not equal:
            raise Invalid(f"--set wants NAME=VALUE, not {pair!r}")
        if name in kind.secret_names():
            raise Invalid(f"{name} is a secret: `--secret {name}` asks for it")
        options[name] = _value(value)
    return options


def _cap(text: str) -> Any:
    """Read a cap as JSON; `none` takes it away."""
    return None if text == "none" else _value(text)


def _value(text: str) -> Any:
    """Read a list, an object or a number as JSON, and anything else as the text it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, list | dict | int) else text
