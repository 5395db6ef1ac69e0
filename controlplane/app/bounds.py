"""No request is larger, and takes longer, than the settings allow.

Bodies are parsed before anybody is asked who they are, so only those paths take large ones that
read them themselves, after the login (`controlplane.bodies`).

The server bounds headers that have not ended; here is the bound on those that have.
"""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.errors import HeadersTooLarge, Overdue, TooLarge, TooSlow

SMALL_BYTES = 64 * 1024  # several times the largest device, role or credential
LARGE = re.compile(
    r"/api/v1/(devices(?:/import(?:/[a-z-]+)?)?|interfaces|sites|device-groups"
    r"|contacts|custom-fields|device-roles|device-types|platforms|poll-classes|tenants"
    r"|alerts/webhook|digests/[^/]+|notifications/inbox|exporter/traps)"
)


class Bounds:
    """Bounds the bytes of headers and body, and the seconds until the answer begins."""

    def __init__(
        self, app: ASGIApp, *, max_header_bytes: int, max_bytes: int, seconds: float
    ) -> None:
        self._app = app
        self._max_header_bytes = max_header_bytes
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or raise HeadersTooLarge, TooLarge, TooSlow or Overdue."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._check_headers(scope)
        body = _Body(Headers(scope=scope), receive, self._most(scope["path"]))
        try:
            async with asyncio.timeout(self._seconds) as limit:

                async def begun(message: Message) -> None:
                    if body.too_large:  # whatever was made of half a body is not the answer
                        return
                    limit.reschedule(None)
                    await send(message)

                await self._app(scope, body.receive, begun)
        except TimeoutError:
            if not limit.expired():
                raise
            if body.complete:
                raise Overdue(f"this took more than {self._seconds:g} s") from None
            raise TooSlow(f"the request was not here within {self._seconds:g} s") from None
        except TooLarge:
            pass  # raised below, also where somebody above us made something else of it
        if body.too_large:
            raise TooLarge(body.refusal)

    def _most(self, path: str) -> int:
        """Give how many bytes a body may have here."""
        return self._max_bytes if LARGE.fullmatch(path) else min(self._max_bytes, SMALL_BYTES)

    def _check_headers(self, scope: Scope) -> None:
        line = len(scope["raw_path"]) + len(scope["query_string"])
        if line + sum(len(name) + len(value) for name, value in scope["headers"]) > (
            self._max_header_bytes
        ):
            raise HeadersTooLarge(f"a request may have {self._max_header_bytes} bytes of headers")


class _Body:
    """The body of a request while it is read."""

    def __init__(self, headers: Headers, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._bytes = 0
        declared = headers.get("content-length", "")
        self.complete = not declared and "transfer-encoding" not in headers
        self.too_large = False
        self.refusal = f"a request may have {max_bytes} bytes here"
        if declared.isdecimal() and int(declared) > max_bytes:
            raise TooLarge(self.refusal)

    async def receive(self) -> Message:
        """Give the next part, or raise TooLarge."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
            if self._bytes > self._max_bytes:
                self.too_large = True
                raise TooLarge(self.refusal)
        return message
