"""Random secrets that are shown once and kept as hashes, and the texts that carry them.

A secret of 256 random bits needs no slow hash: nobody goes through them.
"""

import hashlib
import hmac
import secrets
from uuid import UUID

SECRET_BYTES = 32
TOKEN_PREFIX = "chm_"  # noqa: S105 - by which a token that leaked is found


def make() -> str:
    """Make a secret nobody can guess, safe in URLs, headers and cookies."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Give what is kept of a secret: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, kept: str | None) -> bool:
    """Compare a shown secret with what is kept, in time that tells nothing; None is no match."""
    return hmac.compare_digest(digest(secret), kept or digest("")) and kept is not None


def write(prefix: str, record: UUID, *parts: str) -> str:
    """Write `<prefix><id>.<secret>...`: the id finds the record, the secrets prove the right."""
    return prefix + ".".join((record.hex, *parts))


def parse(prefix: str, text: str, parts: int = 1) -> tuple[UUID, tuple[str, ...]] | None:
    """Read what `write` wrote; None for anything else."""
    if not text.startswith(prefix):
        return None
    record, *given = text.removeprefix(prefix).split(".")
    try:
        found = UUID(hex=record)
    except ValueError:
        return None
    return (found, tuple(given)) if len(given) == parts and found.hex == record else None
