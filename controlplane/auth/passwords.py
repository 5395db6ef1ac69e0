"""Passwords: argon2id in a bounded pool of threads: a flood of logins cannot eat the memory."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP ASVS 5.0, appendix C: argon2id with t>=3 needs m>=12 MiB; we take 64 MiB.
TIME_COST, MEMORY_KIB, PARALLELISM = 3, 64 * 1024, 1
THREADS = 2


class Passwords:
    """Hashes and verifies; at most THREADS at a time, each taking MEMORY_KIB."""

    def __init__(self, memory_kib: int = MEMORY_KIB) -> None:
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=memory_kib, parallelism=PARALLELISM
        )
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")

    @cached_property
    def _dummy(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Hash a new password with a salt of its own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Compare; without a stored hash it is False, as slowly: nobody learns who exists."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            matches = self._hasher.verify(stored or self._dummy, password)
        except (VerificationError, InvalidHashError):
            return False
        return matches and stored is not None

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)
