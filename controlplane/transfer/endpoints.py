"""Imports and exports over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from controlplane.auth.dependencies import CanReadDevices, CanWriteDevices
from controlplane.database import Session
from controlplane.devices.addresses import Reach
from controlplane.transfer import formats, service
from controlplane.transfer.formats import MEDIA_TYPES, Format
from controlplane.transfer.schemas import ExportQuery, ImportQuery, ImportReport

router = APIRouter(prefix="/api/v1/devices", tags=["transfer"])

DOCUMENT, TEXT = {"type": "object"}, {"type": "string"}
ONE_OF_THEM: dict[str, Any] = {
    MEDIA_TYPES[form]: {"schema": TEXT if form is Format.CSV else DOCUMENT} for form in Format
}


@router.get("/export", response_class=Response, responses={200: {"content": ONE_OF_THEM}})
async def export_devices(
    session: Session, actor: CanReadDevices, query: Annotated[ExportQuery, Query()]
) -> Response:
    """Export devices as a document that can be imported again; secrets are no part of it."""
    content = formats.write(query.format, await service.dump(session, actor, query))
    name = f'attachment; filename="devices.{query.format}"'
    media_type = MEDIA_TYPES[query.format]
    return Response(content, media_type=media_type, headers={"Content-Disposition": name})


@router.post(
    "/import/{form}",
    openapi_extra={"requestBody": {"required": True, "content": ONE_OF_THEM}},
)
async def import_document(
    form: Format,
    request: Request,
    session: Session,
    actor: CanWriteDevices,
    query: Annotated[ImportQuery, Query()],
) -> ImportReport:
    """Import a document of this format, CSV with devices alone: all rows, or none and every error.

    With `dry_run` nothing is kept, and the errors are the answer.
    """
    given = formats.read(form, await request.body())
    state = request.app.state
    return await service.load(session, actor, state.vault, Reach.of(state.settings), given, query)
