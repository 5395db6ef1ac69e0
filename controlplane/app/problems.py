"""Errors on the wire: RFC 9457 problem details, for every error there is."""

import logging
import math
import re
from collections.abc import Iterable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.exceptions import HTTPException

from controlplane import preconditions
from controlplane.errors import (
    ChmError,
    Conflict,
    Invalid,
    Problem,
    Stale,
    Unavailable,
    Unconditional,
    from_validation,
)

log = logging.getLogger(__name__)

UNCONDITIONAL = (  # what to do, for a client that was written before the header was asked for
    "this is changed by those who say which version they saw: read it, and send its ETag as "
    f"{preconditions.HEADER}, or {preconditions.ANY} to change it whatever it is by now"
)
MEDIA_TYPE = "application/problem+json"
SERVER_ERROR = 500
MISSING = ("missing", ("header", preconditions.HEADER))
ROW = re.compile(r"/(\d{1,5})(?:/|\Z)")  # where the body is a list, the first step is an index


def problem(
    request: Request, status: int, title: str, detail: str, errors: Iterable[Problem] = ()
) -> JSONResponse:
    """Make the answer that tells a client what went wrong."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": request.state.request_id,
        "errors": [_told(e) for e in errors],
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None  # noqa: PLR2004 - RFC 9110, section 11.6.1
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def _told(error: Problem) -> dict[str, str | int]:
    written: dict[str, str | int] = {
        "pointer": error.pointer,
        "code": error.code,
        "message": error.message,
    }
    row = ROW.match(error.pointer)
    return {**written, "row": int(row[1]) + 1} if row else written


def unexpected(request: Request) -> JSONResponse:
    """Make the answer to a fault of ours: nothing but the id under which the log has it."""
    return problem(request, SERVER_ERROR, ChmError.title, "the log has the details")


def told(request: Request, error: ChmError) -> JSONResponse:
    """Make the answer that tells a client of one of our own errors."""
    if error.status == SERVER_ERROR:
        log.error("request %s: %s", request.state.request_id, error.detail)
        return unexpected(request)
    response = problem(request, error.status, error.title, error.detail, error.problems)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if isinstance(error, Stale) and error.etag is not None:
        response.headers["ETag"] = error.etag
    return response


async def _chm(request: Request, error: ChmError) -> JSONResponse:
    return told(request, error)


async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
    if any((e["type"], e["loc"]) == MISSING for e in error.errors()):
        return told(request, Unconditional(UNCONDITIONAL))
    errors = [
        found
        for e in error.errors()
        for found in from_validation([e], skip=1 if e["loc"][0] == "body" else 0)
    ]
    return problem(request, Invalid.status, Invalid.title, "the request is not valid", errors)


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    response = problem(request, error.status_code, str(error.detail), str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _database(request: Request, error: DBAPIError) -> JSONResponse:
    if isinstance(error, IntegrityError):
        raced = "somebody else changed what this depends on at the same time"
        return problem(request, Conflict.status, Conflict.title, raced)
    if not error.connection_invalidated:
        raise error
    log.error("request %s: the connection to the database broke", request.state.request_id)
    lost = "the connection to the database broke"
    return problem(request, Unavailable.status, Unavailable.title, lost)


def install(app: FastAPI) -> None:
    """Make the application answer every error as a problem."""
    app.exception_handler(ChmError)(_chm)
    app.exception_handler(RequestValidationError)(_validation)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(DBAPIError)(_database)
