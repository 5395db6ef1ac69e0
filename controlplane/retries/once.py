"""Idempotency-Key: a request sent again under its key is answered, and not done, again.

draft-ietf-httpapi-idempotency-key-header. The answer is kept by the transaction that makes the
change, so a process killed at any moment leaves both or neither. Two requests under one key meet
at a lock of the database that ends with the transaction, so a crash blocks nobody. Refusals
change nothing and are not kept.

An answer that may hold a secret is never kept: routers whose answers do are not `Retryable`, and
there a POST with the header is refused. Kept answers are in the clear, bodies and keys as digests.
"""

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import CurrentActor
from controlplane.database import Session, now
from controlplane.errors import Conflict, Invalid, Problem, TooMany
from controlplane.grammar import matching
from controlplane.retries import queries
from controlplane.retries.models import KeptAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
MOST = 20_000  # answers for one actor
MOST_BYTES = 64 * 1024 * 1024  # of these
HEADERS = ("content-type", "etag", "location")  # of an answer; the others are made anew

# A string of RFC 9651 as the draft asks, or the same without quotes as many clients send it.
PATTERN = r'"[A-Za-z0-9._~:+/=-]{16,128}"|[A-Za-z0-9._~:+/=-]{16,128}'
GRAMMAR = "a random text of 16 to 128 letters, digits and `._~:+/=-`, as a UUID is"

Key = Annotated[str, Field(max_length=130), matching(PATTERN, GRAMMAR)]


class Replay(Exception):
    """The request was answered before; this is the answer."""

    def __init__(self, kept: KeptAnswer) -> None:
        super().__init__(kept.key)
        headers = {**kept.headers, REPLAYED: "true"}
        self.response = Response(kept.body, kept.status, headers)


@dataclass(frozen=True)
class Asked:
    """A request under a key, in the transaction that does what it asks; digests in hex."""

    session: AsyncSession
    key: str
    actor: str
    fingerprint: str

    async def claim(self) -> None:
        """Raise Conflict while it is being done, Replay if it was, Invalid if that was another."""
        number = int.from_bytes(bytes.fromhex(self.key)[:8], signed=True)
        if not await self.session.scalar(queries.claim(number)):
            raise Conflict(f"a request with this {HEADER} is being worked on; ask again later")
        kept = await self.session.scalar(queries.kept(self.key, now() - KEPT))
        if kept is None:
            await self._make_room()
        elif hmac.compare_digest(kept.fingerprint, self.fingerprint):
            raise Replay(kept)
        else:
            detail = f"this {HEADER} was used for another request"
            raise Invalid(detail, Problem(f"/header/{HEADER}", "reused", detail))

    async def keep(self, response: Response) -> None:
        """Keep the answer."""
        body = bytes(response.body)
        answer = KeptAnswer(
            key=self.key,
            actor=self.actor,
            fingerprint=self.fingerprint,
            status=response.status_code,
            headers={name: response.headers[name] for name in HEADERS if name in response.headers},
            body=body,
            size=len(body),
        )
        self.session.add(answer)
        await self.session.flush()

    async def _make_room(self) -> None:
        """Raise TooMany where too much is kept for this actor already."""
        await self.session.execute(queries.outlived(self.key, now() - KEPT))
        count, size, oldest = (await self.session.execute(queries.held(self.actor))).one()
        if oldest is not None and (count >= MOST or size >= MOST_BYTES):
            wait = (oldest + KEPT - now()).total_seconds()
            raise TooMany(f"too many requests with an {HEADER} in a day", max(wait, 1.0))


async def once(
    request: Request,
    session: Session,
    actor: CurrentActor,
    key: Annotated[
        Key | None,
        Header(alias=HEADER, description="Sent again under the same key, it is done once."),
    ] = None,
) -> None:
    """Answer a request that was answered before as it was then."""
    if key is None:
        return
    asked = await _asked(request, session, actor, key.strip('"'))
    await asked.claim()
    request.state.asked = asked


async def _asked(request: Request, session: AsyncSession, actor: Actor, key: str) -> Asked:
    whose = _digest(str(actor.kind), str(actor.id), actor.name)
    # Under the key, which is not kept: nobody guesses what a body was from what is.
    asked = [request.method, request.url.path, request.url.query]
    fingerprint = hmac.new(key.encode(), _digest(*asked).encode(), hashlib.sha256)
    fingerprint.update(await request.body())
    return Asked(session, _digest(whose, key), whose, fingerprint.hexdigest())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


ONCE = Depends(once)


class Retryable(APIRoute):
    """A route that keeps its answer where `ONCE` is among its dependencies, and gives it again."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler inside of the transaction, which ends when this returns."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await handle(request)
            except Replay as replay:
                return replay.response
            asked: Asked | None = getattr(request.state, "asked", None)
            if asked is not None:
                await asked.keep(response)
            return response

        return handler


async def refuse_elsewhere(request: Request) -> None:
    """Raise Invalid where a POST relies on a key that means nothing here."""
    if request.method != "POST" or HEADER not in request.headers:
        return
    calls = [dependency.call for dependency in request.scope["route"].dependant.dependencies]
    if once not in calls:
        detail = f"this takes no {HEADER}: its answer is not kept"
        raise Invalid(detail, Problem(f"/header/{HEADER}", "unknown", detail))
