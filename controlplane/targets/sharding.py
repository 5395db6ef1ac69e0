"""Who asks which device: rendezvous hashing, so that a new member moves only its own share.

Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); with weights as in
Schindelhauer and Schomaker, "Weighted distributed hash tables" (2005): a member gets names in
proportion to its weight.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence

BITS = 52  # of a hash: as many as a float tells apart, with a half between them


def choose(name: str, members: Sequence[str]) -> str:
    """Give the member that a name belongs to."""
    return ranked(name, dict.fromkeys(members, 1))[0]


def ranked(name: str, weights: Mapping[str, int]) -> list[str]:
    """Give all members, the one that a name belongs to first, then the one that would be next."""
    return sorted(weights, key=lambda m: (score(name, m, weights[m]), m), reverse=True)


def score(name: str, member: str, weight: int) -> float:
    """Say how much a name belongs to a member: the highest score has it."""
    digest = hashlib.blake2b(f"{member}\x00{name}".encode(), digest_size=8).digest()
    uniform = ((int.from_bytes(digest) >> (64 - BITS)) + 0.5) / 2**BITS  # never 0, never 1
    return -weight / math.log(uniform)
