"""The history of each object over HTTP: one endpoint, under the path of every noun."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request

from controlplane import pagination
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import Requires
from controlplane.database import Session
from controlplane.errors import NotFound
from controlplane.grammar import Name
from controlplane.history import queries, service
from controlplane.history.nouns import READ, Noun
from controlplane.history.schemas import ChangeRead, HistoryQuery
from controlplane.pagination import Page

router = APIRouter(prefix="/api/v1", tags=["history"])


# What a path calls an object by; the name of an interface may hold slashes.
KEYS: Mapping[Noun, tuple[str, Any]] = dict.fromkeys(Noun, ("name", Name)) | {
    Noun.INTERFACE: ("interface_id", UUID)
}


def _endpoint(noun: Noun) -> Callable[..., Awaitable[Page[ChangeRead]]]:
    permission = READ[noun]
    parameter, kind = KEYS[noun]

    async def history(
        key: Annotated[kind, Path(alias=parameter)],  # type: ignore[valid-type]  # known when it runs
        request: Request,
        session: Session,
        actor: Annotated[Actor, Depends(Requires(permission))],
        query: Annotated[HistoryQuery, Query()],
    ) -> Page[ChangeRead]:
        subject = await session.scalar(queries.subject(actor, permission, noun, key))
        if subject is None:
            raise NotFound(f"there is no {noun.value} {str(key)!r}")
        statement = pagination.ordered(
            queries.changes(noun, subject), query.ordering, queries.ORDERING, "-seq"
        )
        count, entries = await pagination.fetch(session, statement, query)
        results = await service.read(session, actor, permission, entries)
        return pagination.page(request.url, query, count, results)

    return history


for _noun in Noun:
    router.add_api_route(
        f"/{_noun.value}s/{{{KEYS[_noun][0]}}}/history",
        _endpoint(_noun),
        name=f"{_noun.value}_history",
        description=f"Tell who changed the {_noun.value}, when and how, newest first.",
    )
