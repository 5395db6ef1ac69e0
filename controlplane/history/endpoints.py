"""The history of each object over HTTP, under the path of every noun, and that of all."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request

from controlplane import pagination
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import CanReadDevices, Requires
from controlplane.database import Session
from controlplane.errors import NotFound
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.history import queries, service
from controlplane.history.nouns import CATALOGUE, READ, Noun
from controlplane.history.schemas import ChangeOf, ChangeRead, ChangesQuery, HistoryQuery
from controlplane.pagination import Page
from controlplane.provisioning.alerting_rules.schemas import AlertName

router = APIRouter(prefix="/api/v1", tags=["history"])


# What a path calls an object by; the name of an interface may hold slashes.
KEYS: Mapping[Noun, tuple[str, Any]] = dict.fromkeys(Noun, ("name", Name)) | {
    Noun.INTERFACE: ("interface_id", UUID),
    Noun.THRESHOLD: ("threshold_id", UUID),
    Noun.ALERTING_RULE: ("name", AlertName),
}


def _endpoint(noun: Noun) -> Callable[..., Awaitable[Page[ChangeRead]]]:
    permission = READ[noun]
    parameter, kind = KEYS[noun]

    async def history(
        key: Annotated[kind, Path(alias=parameter)],  # type: ignore[valid-type]  # known when it runs
        request: Request,
        session: Session,
        actor: Annotated[Actor, Depends(Requires(permission))],
        query: Annotated[HistoryQuery, given(HistoryQuery)],
    ) -> Page[ChangeRead]:
        subject = await session.scalar(queries.subject(actor, permission, noun, key))
        if subject is None and actor.may_everywhere(permission):
            subject = await session.scalar(queries.removed(noun, str(key)))
        if subject is None:
            raise NotFound(f"there is no {noun.value} {str(key)!r}")
        statement = pagination.ordered(
            queries.changes(noun, subject), query.ordering, queries.ORDERING, "-seq"
        )
        count, entries = await pagination.fetch(session, statement, query)
        results = await service.read(session, actor, entries)
        return pagination.page(request.url, query, count, results)

    return history


def _path(noun: Noun) -> str:
    of = CATALOGUE.get(noun)
    return of.plural.replace("_", "-") if of else f"{noun.value}s"


for _noun in Noun:
    _words = _noun.value.replace("-", " ")
    router.add_api_route(
        f"/{_path(_noun)}/{{{KEYS[_noun][0]}}}/history",
        _endpoint(_noun),
        name=f"{_words.replace(' ', '_')}_history",
        description=f"Tell who changed the {_words}, when and how, newest first.",
    )


@router.get("/changes")
async def list_changes(
    request: Request,
    session: Session,
    actor: CanReadDevices,
    query: Annotated[ChangesQuery, given(ChangesQuery)],
) -> Page[ChangeOf]:
    """List what was done to objects in reach, the newest first; `request_id` gives one request.

    Objects that are no more stand in nobody's scope: their changes are for those who read all.
    """
    listed = pagination.ordered(
        queries.all_changes(actor, query), query.ordering, queries.ORDERING, "-seq"
    )
    count, entries = await pagination.fetch(session, listed, query)
    results = await service.read_several(session, actor, entries)
    return pagination.page(request.url, query, count, results)
