"""The catalogue over HTTP: every noun has the same endpoints."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import create_model

from controlplane import bodies, pagination, preconditions
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
from controlplane.rows import FewerRows, Key, Written


def _changed(noun: Noun) -> type[Key]:
    """Make the model of an object of a list, whose name says which it is and stays."""
    name = f"{noun.table.__name__}Change"
    words = f"A {noun.words} of a list, and the fields of it to change."
    return create_model(name, __base__=(Key, noun.update), __doc__=words)  # type: ignore[arg-type]  # a base of another kind


def _check(noun: Noun, request: Request) -> service.Check:
    settings = request.app.state.settings
    return lambda entry: noun.check(entry, settings)


def _router(noun: Noun) -> APIRouter:
    """Make the endpoints of a noun; their bodies are those of its schemas."""
    plural = noun.plural.replace("_", " ")
    path = f"/api/v1/{noun.plural.replace('_', '-')}"
    router = APIRouter(prefix=path, tags=[plural], route_class=Retryable)
    change = _changed(noun)

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
        response_model=noun.read | Written,
        summary=f"Add a {noun.words}, or all of a list",
        dependencies=[ONCE],
        openapi_extra=bodies.described(noun.create, FewerRows[noun.create]),  # type: ignore[name-defined]
    )
    async def create_entry(
        request: Request, response: Response, session: Session, actor: CanWriteCatalogue
    ) -> Any:
        data = await bodies.one_or_many(request, noun.create, FewerRows[noun.create])  # type: ignore[name-defined]
        check = _check(noun, request)
        if isinstance(data, FewerRows):
            return await service.create_many(session, actor, noun, data.root, check)
        created = await service.create(session, actor, noun, data)
        check(created)
        preconditions.tag(response, created.version)
        return created

    @router.patch(
        "",
        response_model=Written,
        summary=f"Change all {plural} of a list, or none",
        openapi_extra=bodies.described(FewerRows[change]),  # type: ignore[valid-type]
    )
    async def update_entries(request: Request, session: Session, actor: CanWriteCatalogue) -> Any:
        items = (await bodies.read(request, FewerRows[change])).root  # type: ignore[valid-type]
        check = _check(noun, request)
        return await service.update_many(session, actor, noun, items, check)

    @router.delete(
        "",
        status_code=204,
        summary=f"Remove all {plural} of a list, or none",
        openapi_extra=bodies.described(FewerRows[Key]),
    )
    async def delete_entries(request: Request, session: Session, actor: CanWriteCatalogue) -> None:
        items = (await bodies.read(request, FewerRows[Key])).root
        await service.delete_many(session, actor, noun, items)

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
