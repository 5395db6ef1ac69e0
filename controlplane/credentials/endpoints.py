"""Credentials over HTTP: their secrets can be written, not read."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from controlplane import pagination, preconditions
from controlplane.auth.dependencies import CanReadCredentials, CanWriteCredentials
from controlplane.credentials import queries, service, versions
from controlplane.credentials.schemas import (
    CredentialCreate,
    CredentialQuery,
    CredentialRead,
    CredentialUpdate,
    VersionRead,
)
from controlplane.database import Session
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.pagination import Page
from controlplane.preconditions import IfMatchRequired
from controlplane.retries.once import ONCE, Retryable

router = APIRouter(prefix="/api/v1/credentials", tags=["credentials"], route_class=Retryable)


@router.get("")
async def list_credentials(
    request: Request,
    session: Session,
    actor: CanReadCredentials,
    query: Annotated[CredentialQuery, given(CredentialQuery)],
) -> Page[CredentialRead]:
    """List credentials without their secrets."""
    listed = pagination.ordered(
        queries.visible(actor, query), query.ordering, queries.ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, [service.read(row) for row in rows])


@router.post("", status_code=201, dependencies=[ONCE])
async def create_credential(
    data: CredentialCreate,
    request: Request,
    response: Response,
    session: Session,
    actor: CanWriteCredentials,
) -> CredentialRead:
    """Add a credential."""
    created = await service.create(session, actor, request.app.state.vault, data)
    preconditions.tag(response, created.revision)
    return service.read(created)


@router.get("/{name}")
async def get_credential(
    name: Name,
    response: Response,
    session: Session,
    actor: CanReadCredentials,
) -> CredentialRead:
    """Show a credential without its secrets."""
    credential = await service.get(session, actor, name)
    preconditions.tag(response, credential.revision)
    return service.read(credential)


@router.patch("/{name}")
async def update_credential(
    name: Name,
    data: CredentialUpdate,
    request: Request,
    response: Response,
    *,
    session: Session,
    actor: CanWriteCredentials,
    if_match: IfMatchRequired,
) -> CredentialRead:
    """Change fields of a credential; one of another SNMP version is written whole."""
    vault = request.app.state.vault
    changed = await service.update(session, actor, vault, name, data, if_match=if_match)
    preconditions.tag(response, changed.revision)
    return service.read(changed)


@router.delete("/{name}", status_code=204)
async def delete_credential(
    name: Name,
    session: Session,
    actor: CanWriteCredentials,
    if_match: IfMatchRequired,
) -> None:
    """Remove a credential; one that a device is asked with stays (409)."""
    await service.delete(session, actor, name, if_match)


@router.get("/{name}/versions")
async def list_versions(
    name: Name, response: Response, session: Session, actor: CanReadCredentials
) -> list[VersionRead]:
    """List the version in force, and the one that waits beside it; the ETag is the credential's."""
    preconditions.tag(response, (await service.get(session, actor, name)).revision)
    return await versions.listed(session, actor, name)


@router.post("/{name}/versions", status_code=201)
async def stage_version(
    name: Name,
    data: CredentialUpdate,
    request: Request,
    session: Session,
    actor: CanWriteCredentials,
) -> VersionRead:
    """Stage the next version: the one in force with these fields changed (409 if one waits)."""
    return await versions.stage(session, actor, request.app.state.vault, name, data)


@router.post("/{name}/versions/{number}/promote")
async def promote_version(
    name: Name,
    number: int,
    request: Request,
    session: Session,
    actor: CanWriteCredentials,
) -> list[VersionRead]:
    """Put the waiting version in force; the other one waits, so promoting it is the way back."""
    return await versions.promote(session, actor, request.app.state.vault, name, number)


@router.delete("/{name}/versions/{number}", status_code=204)
async def retire_version(
    name: Name,
    number: int,
    session: Session,
    actor: CanWriteCredentials,
    if_match: IfMatchRequired,
) -> None:
    """Destroy the waiting version of a credential whose ETag is given.

    Devices that know no other are asked in vain from now on.
    """
    await versions.retire(session, actor, name, number, if_match)
