"""Around every request: an id, a measurement, and an answer whatever happens."""

import logging
import re
import time
from uuid import uuid4

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.app import problems
from controlplane.errors import ChmError

log = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Counts and times requests by method, route template and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "chm_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "chm_http_request_duration_seconds",
            "Time from the request to the end of the answer.",
            ("method", "route"),
            registry=registry,
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request; what has no route is one series, whatever its path."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", "unmatched")
        self._count.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class Requests:
    """The outermost layer of the application, plain ASGI."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        given = request.headers.get("x-request-id", "")
        request.state.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        status = 0
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request.state.request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ChmError as error:  # of what stands before the application
            if status:
                raise
            await problems.told(request, error)(scope, receive, send_with_id)
        except Exception:
            log.exception("request %s failed", request.state.request_id)
            if status:  # too late to say anything else: the server cuts the connection
                raise
            await problems.unexpected(request)(scope, receive, send_with_id)
        finally:
            self._metrics.observe(scope, status, time.perf_counter() - started)
