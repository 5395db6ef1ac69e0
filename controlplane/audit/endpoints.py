"""The audit log over HTTP: read, filtered, and taken along as a file."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from controlplane import pagination
from controlplane.audit import export, queries
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.audit.schemas import AuditQuery, AuditRead, ExportQuery
from controlplane.auth.dependencies import CanReadAudit
from controlplane.database import Session
from controlplane.given import given
from controlplane.pagination import Page

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


@router.get("")
async def list_audit(
    request: Request,
    session: Session,
    _actor: CanReadAudit,
    query: Annotated[AuditQuery, given(AuditQuery)],
) -> Page[AuditRead]:
    """List who did what to what, from where, the newest first."""
    listed = pagination.ordered(queries.entries(query), query.ordering, queries.ORDERING, "-seq")
    extent, rows = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, [AuditRead.model_validate(r) for r in rows])


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {} for media in export.MEDIA_TYPES.values()}}},
)
async def export_audit(
    request: Request, actor: CanReadAudit, query: Annotated[ExportQuery, Query()]
) -> StreamingResponse:
    """Take the entries that pass the filters along, oldest first, as CSV or as lines of JSON."""
    filters = query.model_dump(mode="json", exclude_unset=True) | {"format": query.format}
    async with request.app.state.sessions.begin() as session:  # a GET has no transaction
        await audit.record(session, Action.AUDIT_EXPORTED, who=actor.who, after=filters)
    statement = queries.entries(query).order_by("seq")

    async def content() -> AsyncIterator[str]:
        async with request.app.state.sessions() as reading:  # that of the request has ended
            async for piece in export.stream(reading, statement, query.format):
                yield piece

    return StreamingResponse(
        content(),
        media_type=export.MEDIA_TYPES[query.format],
        headers={"Content-Disposition": f'attachment; filename="audit.{query.format.value}"'},
    )
