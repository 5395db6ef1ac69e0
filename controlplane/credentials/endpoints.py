"""Credentials over HTTP: their secrets can be written, not read."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from controlplane import pagination
from controlplane.auth.dependencies import CanReadCredentials, CanWriteCredentials
from controlplane.credentials import queries, service
from controlplane.credentials.schemas import (
    CredentialCreate,
    CredentialQuery,
    CredentialRead,
    CredentialUpdate,
)
from controlplane.database import Session
from controlplane.grammar import Name
from controlplane.pagination import Page

router = APIRouter(prefix="/api/v1/credentials", tags=["credentials"])


@router.get("")
async def list_credentials(
    request: Request,
    session: Session,
    actor: CanReadCredentials,
    query: Annotated[CredentialQuery, Query()],
) -> Page[CredentialRead]:
    """List credentials without their secrets."""
    statement = pagination.ordered(
        queries.visible(actor, query.name), query.ordering, queries.ORDERING, "name"
    )
    count, rows = await pagination.fetch(session, statement, query)
    return pagination.page(request.url, query, count, [service.read(row) for row in rows])


@router.post("", status_code=201)
async def create_credential(
    data: CredentialCreate,
    request: Request,
    session: Session,
    actor: CanWriteCredentials,
) -> CredentialRead:
    """Add a credential."""
    return service.read(await service.create(session, actor, request.app.state.vault, data))


@router.get("/{name}")
async def get_credential(
    name: Name,
    session: Session,
    actor: CanReadCredentials,
) -> CredentialRead:
    """Show a credential without its secrets."""
    return service.read(await service.get(session, actor, name))


@router.patch("/{name}")
async def update_credential(
    name: Name,
    data: CredentialUpdate,
    request: Request,
    session: Session,
    actor: CanWriteCredentials,
) -> CredentialRead:
    """Change fields of a credential; one of another version is written whole."""
    return service.read(await service.update(session, actor, request.app.state.vault, name, data))


@router.delete("/{name}", status_code=204)
async def delete_credential(
    name: Name,
    session: Session,
    actor: CanWriteCredentials,
) -> None:
    """Remove a credential; one that a device is asked with stays (409)."""
    await service.delete(session, actor, name)
