"""Tags over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request

from controlplane import pagination
from controlplane.auth.dependencies import CanReadDevices, CanWriteDevices
from controlplane.database import Session
from controlplane.devices.tags import queries, service
from controlplane.devices.tags.schemas import TagQuery, TagRead, TagUpdate
from controlplane.given import given
from controlplane.grammar import Word
from controlplane.pagination import Page
from controlplane.rows import Written

router = APIRouter(prefix="/api/v1/tags", tags=["tags"])


@router.get("")
async def list_tags(
    request: Request,
    session: Session,
    actor: CanReadDevices,
    query: Annotated[TagQuery, given(TagQuery)],
) -> Page[TagRead]:
    """List the tags of the devices that the actor sees, and how many of these carry each."""
    tags = queries.carried(actor)
    listed = pagination.ordered(
        queries.listed(tags, query), query.ordering, dict(tags.c.items()), "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = [TagRead.model_validate(row) for row in rows]
    return pagination.page(request.url, query, extent, results)


@router.patch("/{name}")
async def rename_tag(
    name: Word, data: TagUpdate, session: Session, actor: CanWriteDevices
) -> Written:
    """Rename a tag on all devices that the actor may write, or on none; these are told."""
    return await service.rename(session, actor, name, data.name)


@router.delete("/{name}", status_code=204)
async def delete_tag(name: Word, session: Session, actor: CanWriteDevices) -> None:
    """Take a tag from all devices that the actor may write, or from none."""
    await service.delete(session, actor, name)
