"""`chm credential`: what devices are asked with; secrets are prompted for, not arguments."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output, versions
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact, vault
from controlplane.credentials import queries, service
from controlplane.credentials.models import SecurityLevel
from controlplane.credentials.schemas import CredentialCreate, CredentialRead
from controlplane.credentials.snmp import NEEDED, SECRETS
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
        fields[secret] = typer.prompt(secret.replace("_", " "), hide_input=True, err=True)
    data = CredentialCreate.model_validate(fields)
    settings = Settings()

    async def work(session: AsyncSession) -> CredentialRead:
        return service.read(await service.create(session, shell(), vault(settings), data))

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List credentials without their secrets."""

    async def work(session: AsyncSession) -> Sequence[CredentialRead]:
        found = await session.scalars(queries.listed(None).order_by("name"))
        return [service.read(credential) for credential in found]

    columns = ("name", "kind", "version", "username", "security_level", "secrets")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a credential that no device is asked with."""

    async def work(session: AsyncSession) -> None:
        await service.delete(session, shell(), name)

    transact(Settings(), work)
