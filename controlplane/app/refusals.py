"""Refusals are evidence: whoever asks for what they may not do leaves an entry in the audit log."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from controlplane.app import problems
from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind, Outcome, Who
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import origin
from controlplane.errors import Forbidden

log = logging.getLogger(__name__)


async def _forbidden(request: Request, error: Forbidden) -> JSONResponse:
    await _record(request, error)
    return problems.problem(request, error.status, error.title, error.detail, error.problems)


async def _record(request: Request, error: Forbidden) -> None:
    """Tell the audit log in a session of its own: that of the request has been rolled back."""
    try:
        async with request.app.state.sessions.begin() as session:
            await audit.record(
                session,
                Action.PERMISSION_DENIED,
                who=_who(request),
                object_type="endpoint",
                object_name=f"{request.method} {request.url.path}",
                after={"detail": error.detail},
                outcome=Outcome.FAILURE,
            )
    except (SQLAlchemyError, OSError):  # it is refused either way
        log.exception("request %s: a refusal could not be recorded", request.state.request_id)


def _who(request: Request) -> Who:
    """Say who asked: nobody known where a browser's cookie came from a page that is not ours."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is not None:
        return actor.who
    asked = origin(request)
    return Who(Kind.ANONYMOUS, address=asked.address, request_id=asked.request_id)


def install(app: FastAPI) -> None:
    """Record what is forbidden."""
    app.exception_handler(Forbidden)(_forbidden)
