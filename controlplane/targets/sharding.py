"""Who asks which device: rendezvous hashing, so that a new member moves only its own share.

Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998).
"""

import hashlib
from collections.abc import Sequence


def choose(name: str, members: Sequence[str]) -> str:
    """Give the member that a name belongs to."""
    return max(members, key=lambda member: (_weight(name, member), member))


def _weight(name: str, member: str) -> bytes:
    return hashlib.blake2b(f"{member}\x00{name}".encode(), digest_size=8).digest()
