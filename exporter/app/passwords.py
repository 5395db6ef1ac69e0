"""Verdicts on user names and passwords: bcrypt asked as seldom as can be, and never by a crowd."""

import asyncio
import hashlib
import hmac
import secrets
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

import bcrypt

# Of nobody's password: an unknown user costs as much time as a known one.
NOBODY = "$2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
LONGEST = 72  # octets of a password that bcrypt looks at
REMEMBERED = 100  # verdicts of each kind; bcrypt is slow on purpose, and Prometheus comes often
WAITING, WAITING_EACH = 32, 8  # verdicts that are waited for, in all and by one client


class TooMany(Exception):
    """So many passwords wait for a verdict that one more would wait for too long."""


@dataclass(slots=True)
class Verdicts:
    """The last of the questions that had one answer."""

    keys: OrderedDict[bytes, None] = field(default_factory=OrderedDict, repr=False)

    def __contains__(self, key: bytes) -> bool:
        if key not in self.keys:
            return False
        self.keys.move_to_end(key)
        return True

    def add(self, key: bytes) -> None:
        """Remember one more, and forget the one that was not asked for longest."""
        self.keys[key] = None
        if len(self.keys) > REMEMBERED:
            self.keys.popitem(last=False)


@dataclass(slots=True)
class Passwords:
    """Verdicts on user names and passwords, the last of them remembered.

    What is remembered is keyed by a digest under a secret of this process: neither a password nor
    anything it could be guessed from is kept, and a changed hash is a new question. Right and wrong
    ones are kept apart, so that no number of guesses makes a right one be forgotten.
    """

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    fitting: Verdicts = field(default_factory=Verdicts)
    wrong: Verdicts = field(default_factory=Verdicts)
    asked: dict[bytes, asyncio.Task[bool]] = field(default_factory=dict, repr=False)
    waiting: Counter[str] = field(default_factory=Counter)
    one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def right(
        self, users: dict[str, str], user: str, password: bytes, client: str = ""
    ) -> bool:
        """Return whether the password is that of the user; equal questions share one answer.

        Raises TooMany where too many wait already, in all or of this client's.
        """
        hashed = users.get(user, NOBODY)
        parts = (user.encode(), hashed.encode(), password)
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        key = hmac.digest(self.secret, framed, hashlib.sha256)
        if key in self.fitting:
            return True
        if key in self.wrong:
            return False
        if (asking := self.asked.get(key)) is None:
            if self.waiting.total() >= WAITING or self.waiting[client] >= WAITING_EACH:
                raise TooMany
            answer = self._fits(password, hashed, known=user in users)
            asking = self.asked[key] = asyncio.create_task(answer)
            self.waiting[client] += 1
            asking.add_done_callback(lambda asked: self._answered(key, client, asked))
        # Who goes away leaves the answer to the others that wait for it.
        return await asyncio.shield(asking)

    async def _fits(self, password: bytes, hashed: str, *, known: bool) -> bool:
        # One at a time: who guesses passwords gets no more than one core's worth of answers.
        async with self.one_by_one:
            fits = await asyncio.to_thread(bcrypt.checkpw, password[:LONGEST], hashed.encode())
        return fits and known

    def _answered(self, key: bytes, client: str, asked: asyncio.Task[bool]) -> None:
        del self.asked[key]
        self.waiting[client] -= 1
        self.waiting += Counter()  # drops those who wait for nothing
        if not asked.cancelled() and asked.exception() is None:
            (self.fitting if asked.result() else self.wrong).add(key)
