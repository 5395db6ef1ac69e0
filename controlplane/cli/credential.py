"""`chm credential`: what devices are asked with; secrets are prompted for, not arguments."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output, versions
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact, vault
from controlplane.credentials import queries, rest, service
from controlplane.credentials.models import HostKeyPolicy, Kind, Scheme, SecurityLevel
from controlplane.credentials.schemas import (
    CredentialCreate,
    CredentialRead,
    RestCreate,
    SnmpCreate,
    SshCreate,
)
from controlplane.credentials.snmp import NEEDED, SECRETS
from controlplane.errors import ConfigurationError
from controlplane.settings import Settings

app = typer.Typer(help="Credentials: what devices are asked with.", no_args_is_help=True)
app.add_typer(versions.app)

SNMP_V3 = 3


@app.command()
def add(
    name: str,
    *,
    version: Annotated[int, typer.Option(min=1, max=3, help="Of SNMP.")] = 2,
    username: Annotated[str | None, typer.Option(help="Of SNMPv3.")] = None,
    security_level: Annotated[SecurityLevel, typer.Option()] = SecurityLevel.AUTH_PRIV,
    auth_protocol: Annotated[str | None, typer.Option(help="MD5, SHA, SHA256, ...")] = None,
    priv_protocol: Annotated[str | None, typer.Option(help="DES, AES, AES256, ...")] = None,
    context_name: Annotated[str | None, typer.Option()] = None,
    as_json: AsJson = False,
) -> None:
    """Add an SNMP credential; its secrets are asked for, or read from standard input by line."""
    fields: dict[str, object] = {"name": name, "version": version}
    needed: tuple[str, ...] = ("community",)
    if version == SNMP_V3:
        needed = NEEDED[security_level]
        fields |= {
            "username": username,
            "security_level": security_level,
            "auth_protocol": auth_protocol,
            "priv_protocol": priv_protocol,
            "context_name": context_name,
        }
    for secret in (name for name in SECRETS if name in needed):
        fields[secret] = versions.ask(secret)
    _create(SnmpCreate.model_validate(fields), as_json=as_json)


@app.command("add-ssh")
def add_ssh(
    name: str,
    username: str,
    *,
    private_key: Annotated[bool, typer.Option("--private-key", help="Instead of a password.")] = (
        False
    ),
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Of the private key.")] = False,
    host_key_policy: Annotated[HostKeyPolicy, typer.Option()] = HostKeyPolicy.STRICT,
    as_json: AsJson = False,
) -> None:
    """Add a credential for SSH; its secrets are asked for, or read from standard input by line."""
    wanted = ["private_key"] if private_key else ["password"]
    secrets = [*wanted, *(["passphrase"] if passphrase else [])]
    fields = {"name": name, "kind": Kind.SSH, "username": username}
    fields |= {"host_key_policy": host_key_policy, **{s: versions.ask(s) for s in secrets}}
    _create(SshCreate.model_validate(fields), as_json=as_json)


@app.command("add-rest")
def add_rest(
    name: str,
    scheme: Scheme,
    *,
    username: Annotated[str | None, typer.Option(help="Of basic.")] = None,
    header: Annotated[str | None, typer.Option(help="Which has the key.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Of the client, in PEM.")] = None,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Of the private key.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a credential for an HTTP API; its secrets are asked for, or read from standard input."""
    wanted = [secret for secret in rest.SECRETS if secret in rest.NEEDED[scheme]]
    fields: dict[str, object] = {"name": name, "kind": Kind.REST, "scheme": scheme}
    fields |= {"username": username, "header": header}
    if certificate is not None:
        fields["certificate"] = _text(certificate)
    for secret in [*wanted, *(["passphrase"] if passphrase else [])]:
        fields[secret] = versions.ask(secret)
    _create(RestCreate.model_validate(fields), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List credentials without their secrets."""

    async def work(session: AsyncSession) -> Sequence[CredentialRead]:
        found = await session.scalars(queries.listed(None).order_by("name"))
        return [service.read(credential) for credential in found]

    columns = ("name", "kind", "version", "username", "security_level", "secrets")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


def _create(data: CredentialCreate, *, as_json: bool) -> None:
    settings = Settings()

    async def work(session: AsyncSession) -> CredentialRead:
        return service.read(await service.create(session, shell(), vault(settings), data))

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {file}: {error}") from None


@app.command()
def remove(name: str) -> None:
    """Remove a credential that no device is asked with."""

    async def work(session: AsyncSession) -> None:
        await service.delete(session, shell(), name)

    transact(Settings(), work)
