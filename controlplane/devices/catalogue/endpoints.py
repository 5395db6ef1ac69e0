"""The catalogue over HTTP: every noun has the same endpoints."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from controlplane import pagination, preconditions
from controlplane.auth.dependencies import CanReadDevices, CanWriteCatalogue
from controlplane.database import Session
from controlplane.devices.catalogue import queries, service
from controlplane.devices.catalogue.nouns import (
    CONTACT,
    CUSTOM_FIELD,
    DEVICE_ROLE,
    DEVICE_TYPE,
    PLATFORM,
    POLL_CLASS,
    TENANT,
    Noun,
)
from controlplane.devices.catalogue.schemas import EntryQuery
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.retries.once import ONCE, Retryable


def _router(noun: Noun) -> APIRouter:
    """Make the endpoints of a noun; their bodies are those of its schemas."""
    plural = noun.plural.replace("_", " ")
    path = f"/api/v1/{noun.plural.replace('_', '-')}"
    router = APIRouter(prefix=path, tags=[plural], route_class=Retryable)

    @router.get("", response_model=Page[noun.read], summary=f"List {plural}")  # type: ignore[name-defined]  # known when it runs
    async def list_entries(
        request: Request,
        session: Session,
        actor: CanReadDevices,  # noqa: ARG001 - the check is all that is wanted of it
        query: Annotated[EntryQuery, given(EntryQuery)],
    ) -> Any:
        statement = pagination.ordered(
            queries.listed(noun, query), query.ordering, queries.ordering(noun), "name"
        )
        count, rows = await pagination.fetch(session, statement, query)
        results = [noun.read.model_validate(row.model_dump()) for row in rows]
        return pagination.page(request.url, query, count, results)

    @router.post(
        "",
        status_code=201,
        response_model=noun.read,
        summary=f"Add a {noun.words}",
        dependencies=[ONCE],
    )
    async def create_entry(
        data: noun.create,  # type: ignore[name-defined]  # known when it runs
        request: Request,
        response: Response,
        session: Session,
        actor: CanWriteCatalogue,
    ) -> Any:
        created = await service.create(session, actor, noun, data)
        noun.check(created, request.app.state.settings)
        preconditions.tag(response, created.version)
        return created

    @router.get("/{name}", response_model=noun.read, summary=f"Show a {noun.words}")
    async def get_entry(
        name: Name,
        response: Response,
        session: Session,
        actor: CanReadDevices,  # noqa: ARG001 - the check is all that is wanted of it
    ) -> Any:
        entry = await service.get(session, noun, name)
        preconditions.tag(response, entry.version)
        return entry

    @router.patch("/{name}", response_model=noun.read, summary=f"Change a {noun.words}")
    async def update_entry(
        name: Name,
        data: noun.update,  # type: ignore[name-defined]  # known when it runs
        request: Request,
        response: Response,
        *,
        session: Session,
        actor: CanWriteCatalogue,
        if_match: IfMatch = None,
    ) -> Any:
        changed = await service.update(session, actor, noun, name, data, if_match)
        noun.check(changed, request.app.state.settings)
        preconditions.tag(response, changed.version)
        return changed

    @router.delete("/{name}", status_code=204, summary=f"Remove a {noun.words} not in use")
    async def delete_entry(
        name: Name, session: Session, actor: CanWriteCatalogue, if_match: IfMatch = None
    ) -> None:
        await service.delete(session, actor, noun, name, if_match)

    return router


contacts = _router(CONTACT)
custom_fields = _router(CUSTOM_FIELD)
device_roles = _router(DEVICE_ROLE)
device_types = _router(DEVICE_TYPE)
platforms = _router(PLATFORM)
poll_classes = _router(POLL_CLASS)
tenants = _router(TENANT)
