"""The history of each object over HTTP: one endpoint, under the path of every noun."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from controlplane import pagination
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import Requires
from controlplane.database import Session
from controlplane.errors import NotFound
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.history import queries, service
from controlplane.history.nouns import READ, Noun
from controlplane.history.schemas import ChangeRead, HistoryQuery
from controlplane.pagination import Page

router = APIRouter(prefix="/api/v1", tags=["history"])


def _endpoint(noun: Noun) -> Callable[..., Awaitable[Page[ChangeRead]]]:
    permission = READ[noun]

    async def history(
        name: Name,
        request: Request,
        session: Session,
        actor: Annotated[Actor, Depends(Requires(permission))],
        query: Annotated[HistoryQuery, given(HistoryQuery)],
    ) -> Page[ChangeRead]:
        subject = await session.scalar(queries.subject(actor, permission, noun, name))
        if subject is None:
            raise NotFound(f"there is no {noun.value} {name!r}")
        statement = pagination.ordered(
            queries.changes(noun, subject), query.ordering, queries.ORDERING, "-seq"
        )
        count, entries = await pagination.fetch(session, statement, query)
        results = await service.read(session, actor, permission, entries)
        return pagination.page(request.url, query, count, results)

    return history


for _noun in Noun:
    router.add_api_route(
        f"/{_noun.value}s/{{name}}/history",
        _endpoint(_noun),
        name=f"{_noun.value}_history",
        description=f"Tell who changed the {_noun.value}, when and how, newest first.",
    )
