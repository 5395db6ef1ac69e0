"""What a supervised service is: a command, how to tell that it is ready, and how to end it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from signal import SIGTERM, Signals

import httpx

Probe = Callable[[], Awaitable[bool]]
PROBE_TIMEOUT = 2.0  # seconds


@dataclass(frozen=True)
class Service:
    """One child process; `stop` ends it within `grace` seconds, or it is killed."""

    name: str
    argv: tuple[str, ...]
    ready: Probe
    url: str = ""  # where people find it, if they do
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop: Signals = SIGTERM
    grace: float = 10.0
    patience: float = 60.0  # seconds until it must be ready at the first start


def answers(url: str) -> Probe:
    """Make the probe of an HTTP service: ready once `url` answers with success."""

    async def probe() -> bool:
        async with httpx.AsyncClient(timeout=PROBE_TIMEOUT, trust_env=False) as client:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

    return probe


async def at_once() -> bool:
    """Be the probe of a service that has no way to tell: it is ready when it runs."""
    return True
