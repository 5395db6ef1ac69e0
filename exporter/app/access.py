"""Who may come in: basic auth with bcrypt hashes, a rate limit, and headers for every answer."""

import asyncio
import base64
import binascii
from dataclasses import dataclass

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.app.passwords import Passwords, TooMany
from exporter.app.web import RateLimit, Web, WebConfig

RETRY_SECONDS = 1


@dataclass(slots=True)
class Bucket:
    """A token bucket; times on the loop's clock."""

    tokens: float = 0.0
    filled: float = float("-inf")

    def take(self, limit: RateLimit, now: float) -> bool:
        """Return whether one more request is allowed."""
        if not limit.interval:
            return True
        self.tokens = min(self.tokens + (now - self.filled) / limit.interval, float(limit.burst))
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Access:
    """The application behind its web configuration."""

    def __init__(self, app: ASGIApp, web: Web) -> None:
        self._app = app
        self._web = web
        self._passwords = Passwords()
        self._bucket = Bucket()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        config = self._web.current()
        headers = [
            (name.lower().encode(), value.encode())
            for name, value in config.http_server_config.headers.items()
        ]

        async def with_headers(message: Message) -> None:
            if headers and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        answer = await self._refusal(config, scope) or self._app
        await answer(scope, receive, with_headers)

    async def _refusal(self, config: WebConfig, scope: Scope) -> ASGIApp | None:
        """Return why a request does not come in; None where it does."""
        if not self._bucket.take(config.rate_limit, asyncio.get_running_loop().time()):
            return PlainTextResponse("Too Many Requests\n", 429)
        try:
            if await self._welcome(config.basic_auth_users, scope):
                return None
        except TooMany:
            later = {"Retry-After": str(RETRY_SECONDS)}
            return PlainTextResponse("Too many passwords wait for a verdict\n", 503, later)
        challenge = {"WWW-Authenticate": 'Basic realm="chm-exporter", charset="UTF-8"'}
        return PlainTextResponse("Unauthorized\n", 401, challenge)

    async def _welcome(self, users: dict[str, str], scope: Scope) -> bool:
        if not users:
            return True
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, encoded = given[0].partition(b" ")
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
            user = name.decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        if scheme.lower() != b"basic" or not colon or b"\0" in password:
            return False
        client = scope["client"][0] if scope.get("client") else ""
        return await self._passwords.right(users, user, password, client)
