"""Who may come in: basic auth with bcrypt hashes, a rate limit, and headers for every answer."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

import bcrypt
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.app.web import RateLimit, Web

# Of nobody's password: an unknown user costs as much time as a known one.
NOBODY = "$2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
LONGEST = 72  # octets of a password that bcrypt looks at
REMEMBERED = 100  # verdicts; bcrypt is slow on purpose, and Prometheus comes often


@dataclass(slots=True)
class Passwords:
    """Verdicts on user names and passwords, the last of them remembered.

    What is remembered is keyed by a digest under a secret of this process: neither a password nor
    anything it could be guessed from is kept, and a changed hash is a new question.
    """

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    verdicts: OrderedDict[bytes, bool] = field(default_factory=OrderedDict, repr=False)
    one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def right(self, users: dict[str, str], user: str, password: bytes) -> bool:
        """Return whether the password is that of the user."""
        hashed = users.get(user, NOBODY)
        parts = (user.encode(), hashed.encode(), password)
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        key = hmac.digest(self.secret, framed, hashlib.sha256)
        if (known := self.verdicts.get(key)) is not None:
            self.verdicts.move_to_end(key)
            return known
        # One at a time: who guesses passwords gets no more than one core's worth of answers.
        async with self.one_by_one:
            fits = await asyncio.to_thread(bcrypt.checkpw, password[:LONGEST], hashed.encode())
        self.verdicts[key] = verdict = fits and user in users
        while len(self.verdicts) > REMEMBERED:
            self.verdicts.popitem(last=False)
        return verdict


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

        app = self._app
        if not self._bucket.take(config.rate_limit, asyncio.get_running_loop().time()):
            app = PlainTextResponse("Too Many Requests\n", 429)
        elif not await self._welcome(config.basic_auth_users, scope):
            challenge = {"WWW-Authenticate": 'Basic realm="chm-exporter", charset="UTF-8"'}
            app = PlainTextResponse("Unauthorized\n", 401, challenge)
        await app(scope, receive, with_headers)

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
        return await self._passwords.right(users, user, password)
