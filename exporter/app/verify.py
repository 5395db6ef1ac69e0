"""`POST /verify`: does a device take these credentials? Asked by the control plane, with a token.

The body is JSON: `{"address": ..., "port": 161, "auth": {an entry of auths}}`. The answer is a 200
with `{"outcome": ..., "detail": ...}` whatever the device says; the outcome is `ok`, or the reason
of the error (`exporter.errors`), such as `wrong_credentials` or `unreachable`. An agent of SNMP
version 1 or 2 keeps silent at a wrong community, which cannot be told from a device that is down.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from exporter.app import orders
from exporter.app.exporter import Exporter
from exporter.config import Auth
from exporter.errors import ProtocolError
from exporter.inventory import Token, host
from exporter.profiles import identify, values
from exporter.protocols import snmp
from exporter.protocols.snmp import Limits, Target

PATH = "/verify"
SECONDS = 5.0  # that a device may take
FIRST_WAIT, RETRIES = 1.0, 2
SYS_NAME = "1.3.6.1.2.1.1.5.0"


@dataclass(frozen=True, slots=True)
class Question:
    """A device, and an auth to try on it."""

    address: Annotated[str, AfterValidator(host)]
    auth: Auth
    port: Annotated[int, Field(ge=1, le=65535)] = 161


_QUESTION = TypeAdapter(Question)


def endpoint(exporter: Exporter, token: Token) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint, which lets in whoever has the token."""
    return orders.endpoint(exporter, token, _QUESTION, _ask)


async def _ask(exporter: Exporter, question: Question) -> dict[str, str]:
    """Ask for the name of the device; return what came of it."""
    target = Target(question.address, question.port)
    limits = Limits(asyncio.get_running_loop().time() + SECONDS, FIRST_WAIT, RETRIES)
    source = exporter.settings.source_address
    # Engines of its own: a key that is tried must not be remembered for the scrapes.
    try:
        async with snmp.session(target, question.auth, limits, source_address=source) as session:
            answers = await session.get((SYS_NAME, identify.SYS_OBJECT_ID), limits)
    except ProtocolError as error:
        exporter.telemetry.probe_errors.labels(error.reason).inc()
        return {"outcome": error.reason, "detail": error.detail}
    if not answers:
        return {"outcome": "refused", "detail": "it answers, and shows nothing of its system group"}
    return {"outcome": "ok", "detail": values.text(answers.get(SYS_NAME), "DisplayString")}
