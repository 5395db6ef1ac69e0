"""Which addresses a device may have: management networks, and never what is ours.

The exporter asks wherever it is told, from inside the network. So nothing outside of
CHM_MANAGEMENT_NETWORKS is accepted, nothing else is given to it, and addresses of the machine
itself, of the link and of a cloud's metadata must be named outright, not by a larger network.
A host name is as good as who answers for its domain, which CHM_MANAGEMENT_DOMAINS says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from controlplane import networks
from controlplane.errors import Invalid, Problem
from controlplane.networks import Network
from controlplane.settings import Settings

# RFC 6890, and where clouds keep metadata and credentials of machines.
OURS = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        *("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128"),
        *("::/127", "fe80::/10", "ff00::/8"),
        *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"),  # an IPv4 address in disguise
    )
)


@dataclass(frozen=True)
class Reach:
    """What the exporter may be sent to."""

    allowed: tuple[Network, ...]
    domains: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Reach":
        """Read the settings."""
        domains = (domain.lower().strip(".") for domain in settings.management_domains)
        return cls(settings.management_networks, tuple(domains))

    def refusal(self, address: str) -> str:
        """Say why a device may not have this address; empty where it may."""
        parsed = networks.parse(address)
        if parsed is None:
            name = address.lower().rstrip(".")
            if any(name == domain or name.endswith(f".{domain}") for domain in self.domains):
                return ""
            return "a host name must be in a domain of CHM_MANAGEMENT_DOMAINS"
        if not networks.within(parsed, self.allowed):
            return "the address is in no network of CHM_MANAGEMENT_NETWORKS"
        for network in OURS:
            if parsed in network and not self._named(network):
                return f"{network} is not for devices; CHM_MANAGEMENT_NETWORKS must name it"
        return ""

    def check(self, addresses: Iterable[tuple[str, str | None]]) -> None:
        """Raise Invalid with every address that is refused, each with where it stands."""
        if problems := self.problems(addresses):
            raise Invalid("some addresses are not for devices", *problems)

    def problems(self, addresses: Iterable[tuple[str, str | None]]) -> list[Problem]:
        """Give every address that is refused, each with where it stands."""
        return [
            Problem(place, "not_allowed", reason)
            for place, address in addresses
            if address is not None and (reason := self.refusal(address))
        ]

    def _named(self, network: Network) -> bool:
        return any(
            network.version == allowed.version and allowed.subnet_of(network)  # type: ignore[arg-type]
            for allowed in self.allowed
        )
