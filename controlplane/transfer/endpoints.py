"""Imports and exports over HTTP."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from controlplane.auth.dependencies import CanReadDevices, CanWriteDevices
from controlplane.database import Session
from controlplane.devices.addresses import Reach
from controlplane.devices.schemas import ImportDocument
from controlplane.given import given
from controlplane.jobs import service as jobs
from controlplane.jobs.endpoints import PREFIX as JOBS
from controlplane.jobs.schemas import JobRead
from controlplane.transfer import formats, service, sources, work
from controlplane.transfer.formats import MEDIA_TYPES, Format
from controlplane.transfer.schemas import (
    ExportQuery,
    ImportReport,
    ImportRequest,
    InterfaceExportQuery,
    TemplateQuery,
)
from controlplane.transfer.sources import Source

router = APIRouter(prefix="/api/v1/devices", tags=["transfer"])
interfaces = APIRouter(prefix="/api/v1/interfaces", tags=["transfer"])

LARGE_BYTES = 1024 * 1024  # what takes longer than people wait
PREFERENCE = "respond-async"
IN_MEMORY, PIECE = 1024 * 1024, 64 * 1024  # characters of an export, and of it at once

Write = Callable[[IO[str]], Awaitable[None]]

DOCUMENT, TEXT = {"type": "object"}, {"type": "string"}
ONE_OF_THEM: dict[str, Any] = {
    MEDIA_TYPES[form]: {"schema": TEXT if form is Format.CSV else DOCUMENT} for form in Format
}


@router.get("/export", response_class=Response, responses={200: {"content": ONE_OF_THEM}})
async def export_devices(
    request: Request, actor: CanReadDevices, query: Annotated[ExportQuery, Query()]
) -> Response:
    """Export devices as a document that can be imported again; secrets are no part of it."""
    write = partial(service.export, request.app.state.sessions, actor, query)
    return await _sent(write, query.format, "devices")


@interfaces.get("/export", response_class=Response, responses={200: {"content": ONE_OF_THEM}})
async def export_interfaces(
    request: Request,
    actor: CanReadDevices,
    query: Annotated[InterfaceExportQuery, given(InterfaceExportQuery)],
) -> Response:
    """Export what is said of interfaces, as a document of them that can be imported again."""
    write = partial(service.export_interfaces, request.app.state.sessions, actor, query)
    return await _sent(write, query.format, "interfaces")


async def _sent(write: Write, form: Format, name: str) -> Response:
    """Send what is written once all of it is there; what is large waits in a file without a name.

    So a client that reads slowly holds up no connection to the database, and one that gets the
    first byte gets the last.
    """
    with ExitStack() as stack:
        file = stack.enter_context(
            SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="")
        )
        await write(file)
        stack.pop_all()
    return StreamingResponse(_pieces(file), media_type=MEDIA_TYPES[form], headers=_as(form, name))


def _pieces(file: IO[str]) -> Iterator[str]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _as(form: Format, name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{form}"'}


@router.get("/import/template", response_class=Response)
async def import_template(
    _actor: CanReadDevices, query: Annotated[TemplateQuery, Query()]
) -> Response:
    """Give a document without rows, to be filled in: CSV has the names of the columns."""
    empty: dict[str, Any] = {noun: [] for noun in ImportDocument.model_fields}
    content = formats.write(query.format, empty, query.kind)
    headers = _as(query.format, "template")
    return Response(content, media_type=MEDIA_TYPES[query.format], headers=headers)


@router.post(
    "/import/{source}",
    responses={202: {"model": JobRead, "description": "A job does it; Location names it"}},
    openapi_extra={"requestBody": {"required": True, "content": ONE_OF_THEM}},
)
async def import_document(  # noqa: PLR0917 - what FastAPI hands in
    source: Source,
    request: Request,
    response: Response,
    session: Session,
    actor: CanWriteDevices,
    query: Annotated[ImportRequest, Query()],
) -> ImportReport | JobRead:
    """Import a document, or what another system exports: all rows, or none and every error.

    With `dry_run` nothing is kept, and the errors are the answer. What is large, and all with
    `async=true` or `Prefer: respond-async`, becomes a job (202): `Location` says where to look.
    """
    content, state = await request.body(), request.app.state
    text = formats.decode(content)
    asked = PREFERENCE in _preferences(request)
    if (asked or len(content) > LARGE_BYTES) if query.as_job is None else query.as_job:
        options = work.options(source, query)
        job = await jobs.submit(session, actor, state.vault, work.KIND, options, text)
        response.status_code = 202
        response.headers["Location"] = f"{JOBS}/{job.id}"
        if asked:
            response.headers["Preference-Applied"] = PREFERENCE
        return JobRead.model_validate(job)
    document, reach = sources.read(source, text, query), Reach.of(state.settings)
    return await service.load(session, actor, state.vault, reach, document, query)


def _preferences(request: Request) -> set[str]:
    """Give the names of the preferences of a request (RFC 7240), of which one may be a list."""
    lines = ",".join(request.headers.getlist("prefer"))
    return {preference.partition(";")[0].strip().lower() for preference in lines.split(",")}
