"""The services that were let in since the last change: they are known without a query."""

import hashlib

from controlplane.audit.models import Kind
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.events import Watch


class Callers:
    """Remembers whom a token stood for, until anything changes; making and ending tokens does."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._count: int | None = None
        self._known: dict[bytes, Actor] = {}

    @property
    def count(self) -> int | None:
        """The count of changes; take it before a token is looked up, and hand it to `keep`."""
        return self._watch.count

    def find(self, token: str) -> Actor | None:
        """Give the service of this token, if nothing changed since it was let in."""
        known = self._count is not None and self._count == self._watch.count
        actor = self._known.get(_digest(token)) if known else None
        ended = actor is not None and actor.until is not None and actor.until <= now()
        return None if ended else actor

    def keep(self, counted: int | None, token: str, actor: Actor) -> None:
        """Remember a service that was looked up; a person is looked up each time."""
        if counted is None or actor.kind is not Kind.SERVICE:
            return
        if counted != self._count:
            self._count, self._known = counted, {}
        self._known[_digest(token)] = actor


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()  # 256 random bits need no salt
