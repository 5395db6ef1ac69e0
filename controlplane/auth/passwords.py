"""Passwords: argon2id in a bounded pool with a bounded queue.

A flood of logins can eat neither the memory (THREADS hashes at a time, MEMORY_KIB each) nor the
patience of the others: beyond QUEUE waiting requests the answer is "try again" at once.
"""

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controlplane.errors import Busy

# OWASP ASVS 5.0, appendix C: argon2id with t>=3 needs m>=12 MiB; we take 64 MiB.
TIME_COST, MEMORY_KIB, PARALLELISM = 3, 64 * 1024, 1
THREADS = 2
QUEUE = 32  # at about five hashes a second and thread, whoever is last waits three seconds
RETRY_SECONDS = 5
NICE = 10  # a hash takes a sixth of a second; everybody else is quick, and goes first
CROWDED = "too many people log in at this moment"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Verdict:
    """Whether a password is right, and whether its hash was made with parameters of the past."""

    right: bool
    outdated: bool = False


def _step_back() -> None:
    """Have this thread hash with what the others leave of the processor, where that is possible."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class Passwords:
    """Hashes and verifies; at most THREADS at a time, at most QUEUE waiting."""

    def __init__(self, memory_kib: int = MEMORY_KIB, queue: int = QUEUE) -> None:
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=memory_kib, parallelism=PARALLELISM
        )
        self._pool = ThreadPoolExecutor(THREADS, "argon2", initializer=_step_back)
        self._free = self._seats = THREADS + queue
        # Who is neither hashed nor next need not be begun.
        self._turns = asyncio.Semaphore(2 * THREADS)

    @cached_property
    def _dummy(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe())

    @asynccontextmanager
    async def seat(self) -> AsyncIterator[None]:
        """Wait for the turn of a whole login, or raise Busy before it has cost anything."""
        if self._seats <= 0:
            raise Busy(CROWDED, RETRY_SECONDS)
        self._seats -= 1
        try:
            async with self._turns:
                yield
        finally:
            self._seats += 1

    async def hash(self, password: str) -> str:
        """Hash a new password with a salt of its own; raise Busy when too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> Verdict:
        """Compare; without a stored hash it is wrong, as slowly: nobody learns who exists."""
        return await self._run(lambda: self._verify(stored, password))

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._free <= 0:
            raise Busy(CROWDED, RETRY_SECONDS)
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free += 1

    def _verify(self, stored: str | None, password: str) -> Verdict:
        try:
            right = self._hasher.verify(stored or self._dummy, password)
        except (VerificationError, InvalidHashError):
            return Verdict(right=False)
        if stored is None:
            return Verdict(right=False)
        return Verdict(right, outdated=self._hasher.check_needs_rehash(stored))

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)
