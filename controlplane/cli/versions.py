"""The commands of `chm credential` that rotate one: version, verify, promote, retire, test."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact, vault
from controlplane.credentials import service, versions
from controlplane.credentials.schemas import CredentialUpdate, VersionRead
from controlplane.errors import ConfigurationError
from controlplane.settings import Settings
from controlplane.targets.verification import CredentialTest, Tester, Tried

app = typer.Typer()

COLUMNS = ("number", "state", "version", "username", "security_level", "secrets", "created_at")
PEM = "private_key"  # of several lines: named by its file
FAILED = 1  # the exit code where a device does not take the credential

Devices = Annotated[list[str], typer.Option("--device", help="May be given several times.")]


@app.command()
def version(
    name: str,
    *,
    username: Annotated[str | None, typer.Option(help="Of SNMPv3, where it changes, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Stage the next version: its secrets are asked for, or read from standard input by line."""
    settings = Settings()

    async def secrets(session: AsyncSession) -> list[str]:
        return service.read(await service.get(session, shell(), name)).secrets

    fields: dict[str, object] = {"username": username} if username else {}
    for secret in transact(settings, secrets):
        fields[secret] = ask(secret)
    data = CredentialUpdate.model_validate(fields)

    async def work(session: AsyncSession) -> VersionRead:
        return await versions.stage(session, shell(), vault(settings), name, data)

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


@app.command("versions")
def list_versions(name: str, *, as_json: AsJson = False) -> None:
    """List the version in force, and the one that waits beside it."""

    async def work(session: AsyncSession) -> Sequence[VersionRead]:
        return await versions.listed(session, shell(), name)

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def verify(name: str, number: int, *, device: Devices, as_json: AsJson = False) -> None:
    """Try a version on devices; ends with 1 where one does not take it."""
    _try(name, CredentialTest(devices=device, number=number), as_json=as_json)


@app.command("test")
def try_(name: str, *, device: Devices, as_json: AsJson = False) -> None:
    """Try the version in force on devices; ends with 1 where one does not take it."""
    _try(name, CredentialTest(devices=device), as_json=as_json)


@app.command()
def promote(name: str, number: int, *, as_json: AsJson = False) -> None:
    """Put the waiting version in force; the other waits, so promoting that is the way back."""
    settings = Settings()

    async def work(session: AsyncSession) -> Sequence[VersionRead]:
        return await versions.promote(session, shell(), vault(settings), name, number)

    output.rows(transact(settings, work), COLUMNS, as_json=as_json)


@app.command()
def retire(name: str, number: int) -> None:
    """Destroy the waiting version."""

    async def work(session: AsyncSession) -> None:
        await versions.retire(session, shell(), name, number)

    transact(Settings(), work)


def ask(secret: str) -> str:
    """Ask for a secret, or read it from standard input; a private key from the file that is named.

    Neither stands in the list of processes.
    """
    if secret != PEM:
        asked: str = typer.prompt(secret.replace("_", " "), hide_input=True, err=True)
        return asked
    file = Path(typer.prompt("file of the private key", err=True))
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {file}: {error}") from None


def _try(name: str, data: CredentialTest, *, as_json: bool) -> None:
    settings = Settings()

    async def work(session: AsyncSession) -> Sequence[Tried]:
        return await Tester(vault(settings), settings).run(session, shell(), name, data)

    results = transact(settings, work)
    output.rows(results, ("device", "number", "outcome", "detail"), as_json=as_json)
    if any(result.outcome != "ok" for result in results):
        raise typer.Exit(FAILED)
