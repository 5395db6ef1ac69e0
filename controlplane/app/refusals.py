"""Refusals are evidence: whoever asks for what they may not do leaves an entry in the audit log."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from controlplane.app import problems
from controlplane.audit import service as audit
from controlplane.audit.models import Action, Outcome
from controlplane.auth.actor import Actor
from controlplane.errors import Forbidden

log = logging.getLogger(__name__)


async def _forbidden(request: Request, error: Forbidden) -> JSONResponse:
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is not None:
        await _record(request, actor, error)
    return problems.problem(request, error.status, error.title, error.detail, error.problems)


async def _record(request: Request, actor: Actor, error: Forbidden) -> None:
    """Tell the audit log in a session of its own: that of the request has been rolled back."""
    try:
        async with request.app.state.sessions.begin() as session:
            await audit.record(
                session,
                Action.PERMISSION_DENIED,
                who=actor.who,
                object_type="endpoint",
                object_name=f"{request.method} {request.url.path}",
                after={"detail": error.detail},
                outcome=Outcome.FAILURE,
            )
    except (SQLAlchemyError, OSError):  # it is refused either way
        log.exception("request %s: a refusal could not be recorded", request.state.request_id)


def install(app: FastAPI) -> None:
    """Record what is forbidden."""
    app.exception_handler(Forbidden)(_forbidden)
