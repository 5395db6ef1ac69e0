"""How often a client may ask, by class of endpoint: to log in, to read, to write, what is heavy.

Headers as in draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` says what is allowed,
`RateLimit` what is left.
"""

import logging
import math
import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane import networks
from controlplane.app import problems
from controlplane.errors import TooMany, Unavailable
from controlplane.limits.buckets import WINDOW, Buckets, Limit, Standing
from controlplane.settings import Settings

log = logging.getLogger(__name__)

SHARE = 20  # a bucket is asked once for a twentieth of a minute's requests
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
UNLIMITED = frozenset({"/health"})  # a supervisor that is refused would end us
SERVICES = re.compile(
    r"/metrics(/.*)?|/api/v1/((exporter|targets)/.*|alerts/webhook|digests/[^/]+"
    r"|notifications/inbox)"
)
HEAVY = re.compile(
    r"/api/v1/(.*/)?(import(/.*)?|export|test|verify|poll|check|preview)|/api/v1/reports(/.*)?"
)
LAST_POLL = re.compile(r"/api/v1/devices/[^/]+/poll")  # is read; to poll is a POST
LOGIN = re.compile(r"/api/v1/auth/.*")


class Rates:
    """Counts every request before anything is done for it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limits = {
            name: Limit(name, rate, max(rate // SHARE, 1))
            for name, rate in (
                ("login", settings.rate_login),
                ("read", settings.rate_read),
                ("write", settings.rate_write),
                ("heavy", settings.rate_heavy),
                ("service", settings.rate_service),
            )
            if rate
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say when to come back."""
        limit = self._limits.get(classify(scope)) if scope["type"] == "http" else None
        if limit is None:
            await self._app(scope, receive, send)
            return
        standing = await self._standing(scope, limit)

        async def with_headers(message: Message) -> None:
            if standing is not None and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = f'"{limit.name}";q={limit.per_minute};w={WINDOW:.0f}'
                reset = math.ceil(standing.reset)
                headers["RateLimit"] = f'"{limit.name}";r={standing.remaining};t={reset}'
            await send(message)

        app = self._app
        if standing is not None and standing.retry_after is not None:
            detail = f"more than {limit.per_minute} requests a minute of this kind ({limit.name})"
            app = problems.told(Request(scope), TooMany(detail, standing.retry_after))
        await app(scope, receive, with_headers)

    async def _standing(self, scope: Scope, limit: Limit) -> Standing | None:
        """Count a request; without the database nobody counts, and little can be done either."""
        buckets: Buckets = scope["app"].state.buckets
        address = scope["client"][0] if scope["client"] else ""
        try:
            return await buckets.take(limit, networks.client(address))
        except Unavailable:
            log.warning("requests are not counted: the database does not answer")
            return None


def classify(scope: Scope) -> str:
    """Name the class that a request counts in; empty for what is not counted."""
    path, safe = scope["path"], scope["method"] in SAFE
    if path in UNLIMITED:
        return ""
    if SERVICES.fullmatch(path):
        return "service"
    if HEAVY.fullmatch(path) and not (safe and LAST_POLL.fullmatch(path)):
        return "heavy"
    if safe:
        return "read"
    return "login" if LOGIN.fullmatch(path) else "write"
