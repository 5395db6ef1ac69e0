"""The way of a scrape request: admitted or not, its deadline, its client, its answer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from isal import igzip
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from exporter import exposition
from exporter.app.exporter import Exporter
from exporter.app.flights import HungUp
from exporter.errors import BadRequest, Unavailable
from exporter.exposition import Page
from exporter.metrics import Family

log = logging.getLogger(__name__)

TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"
SHORTEST = 0.2  # seconds a scrape gets, however short Prometheus' timeout is
LONGEST = 86_400  # seconds nobody waits for a scrape
WORTH_IT = 1024  # bytes below which compression saves no packet
CLIENT_CLOSED = 499  # nobody reads it; nginx's number for a client that went away


def deadline(exporter: Exporter, request: Request) -> float:
    """Return when, on the loop's clock, the answer must be on its way."""
    given = request.headers.get(TIMEOUT_HEADER)
    try:
        timeout = float(given) if given else exporter.settings.default_timeout
    except ValueError:
        raise BadRequest(f"{TIMEOUT_HEADER} is not a number: '{given}'") from None
    if not 0 < timeout < LONGEST:
        raise BadRequest(f"{TIMEOUT_HEADER} is out of range: '{given}'")
    wait = max(timeout - exporter.settings.timeout_offset, min(timeout / 2, SHORTEST))
    return asyncio.get_running_loop().time() + wait


async def serve(
    exporter: Exporter,
    request: Request,
    key: Hashable,
    work: Callable[[float], Coroutine[Any, Any, list[Family]]],
) -> Response:
    """Answer with the families that `work` returns by a deadline, and all who ask for the same.

    Raises Unavailable where too many scrapes are under way, and what `work` raises.
    """
    until = deadline(exporter, request)
    if exporter.requests >= exporter.settings.max_requests:
        exporter.telemetry.rejected.inc()
        raise Unavailable(f"{exporter.requests} scrapes are under way, and more are not allowed")

    async def page() -> Page:
        made = exposition.render(await work(until))
        exporter.telemetry.duplicates.inc(made.duplicates)
        return made

    exporter.requests += 1
    leaving = asyncio.create_task(_hang_up(request))
    try:
        with exporter.telemetry.in_flight.track_inprogress():
            made = await exporter.flights.join(key, page, until, leaving)
    except HungUp:
        exporter.telemetry.hung_up.inc()
        log.info("client hung up", extra={"path": request.url.path})
        return PlainTextResponse("", CLIENT_CLOSED)
    except TimeoutError as error:
        raise Unavailable(str(error)) from error
    finally:
        leaving.cancel()
        exporter.requests -= 1
    return compressed(request, made.body, exposition.CONTENT_TYPE)


def compressed(request: Request, body: bytes, content_type: str) -> Response:
    """Return a response, gzipped where the client asks for it and it is worth it."""
    headers = {"Content-Type": content_type, "Vary": "Accept-Encoding"}
    if len(body) >= WORTH_IT and _accepts_gzip(request.headers.get("Accept-Encoding", "")):
        body = gzipped(body)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)


def gzipped(body: bytes) -> bytes:
    """Return a body as gzip, at the level that costs less than it saves on the way."""
    return igzip.compress(body, compresslevel=1)


def _accepts_gzip(header: str) -> bool:
    """Return whether an Accept-Encoding (RFC 9110, 12.5.3) asks for gzip by its name."""
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "x-gzip"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


async def _hang_up(request: Request) -> None:
    """Return when the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
