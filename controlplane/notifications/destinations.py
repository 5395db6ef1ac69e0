"""Where notifications may go: never to what is ours, and not in the clear to strangers.

Alertmanager asks wherever it is told, from inside the network. So addresses of the machine itself,
of the link and of a cloud's metadata are refused unless CHM_NOTIFY_NETWORKS names them, and plain
HTTP goes to those networks only. A name is looked up when a channel is written and when it is
tested; between that and a notification its owner may change it, which only a firewall can prevent.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from controlplane import networks
from controlplane.devices.addresses import OURS
from controlplane.errors import Invalid, Problem
from controlplane.networks import Address, Network
from controlplane.notifications.kinds import Kind
from controlplane.settings import Settings

LOOKUP_SECONDS = 5.0

Lookup = Callable[[str], Awaitable[Collection[Address]]]


async def lookup(host: str) -> list[Address]:
    """Give the addresses of a host; none where it has none, or nobody says in time."""
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(
            loop.getaddrinfo(host, None, type=socket.SOCK_STREAM), LOOKUP_SECONDS
        )
    except (OSError, TimeoutError, UnicodeError):
        return []
    addresses = (networks.parse(str(where[4][0])) for where in found)
    return [address for address in addresses if address is not None]


@dataclass(frozen=True)
class Destinations:
    """What Alertmanager may be sent to."""

    named: tuple[Network, ...]
    lookup: Lookup = field(default=lookup, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "Destinations":
        """Read the settings."""
        return cls(settings.notify_networks)

    async def check(self, kind: Kind, below: str = "/options") -> None:
        """Raise Invalid with every address of the channel that is refused."""
        problems = [
            Problem(f"{below}/{name}", "not_allowed", reason)
            for name, address in kind.addresses()
            if (reason := await self.refusal(address))
        ]
        if problems:
            raise Invalid("notifications may not go there", *problems)

    async def refusal(self, address: str) -> str:
        """Say why nothing goes to a URL or `host:port`; empty where it may."""
        parts = urlsplit(address if "://" in address else f"smtp://{address}")
        host = parts.hostname or ""
        literal = networks.parse(host)
        found = [literal] if literal is not None else await self.lookup(host)
        for where in found:
            forbidden = next((network for network in OURS if where in network), None)
            if forbidden is not None and not networks.within(where, self.named):
                return f"{host} is in {forbidden}; CHM_NOTIFY_NETWORKS must name it"
        if parts.scheme == "http" and not (found and self._all_named(found)):
            return "plain HTTP is for networks of CHM_NOTIFY_NETWORKS only; use https"
        return ""

    def _all_named(self, found: Collection[Address]) -> bool:
        return all(networks.within(where, self.named) for where in found)
