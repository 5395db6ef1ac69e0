"""What the control plane has the exporter do at once: JSON in, JSON out, for who has the token."""

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from exporter import config
from exporter.app.exporter import Exporter
from exporter.config import ConfigError
from exporter.inventory import Token

LARGEST = 16_384  # bytes of a body

T = TypeVar("T")


def endpoint(
    exporter: Exporter,
    token: Token,
    form: TypeAdapter[T],
    work: Callable[[Exporter, T], Awaitable[dict[str, Any]]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers with what `work` makes of a body of this form."""

    async def handle(request: Request) -> Response:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token.current()}".encode()):
            exporter.telemetry.request_errors.inc()
            return PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": "Bearer"})
        try:
            order = config.validated(form, await _read(request), "body", "")
        except ConfigError as error:
            exporter.telemetry.request_errors.inc()
            return PlainTextResponse(f"{error}\n", 400)
        return JSONResponse(await work(exporter, order))

    return handle


async def _read(request: Request) -> Any:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise ConfigError("body", "", f"has more than {LARGEST} bytes")
    try:
        return json.loads(body)
    except ValueError:
        raise ConfigError("body", "", "is not JSON") from None
