"""Networks of addresses: what counts as one client, and whether an address is in a list."""

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

IPV6_SITE = 64  # bits of the prefix that one customer has (RFC 6177)


def parse(text: str) -> Address | None:
    """Give the address written here, an IPv4 one in IPv6 clothes as IPv4, or None."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def client(text: str) -> str:
    """Name the client behind an address: an IPv4 address, an IPv6 /64, or what else it says."""
    address = parse(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_SITE), strict=False))
    return text if address is None else str(address)


def within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Say whether the address is in one of the networks; what is no address is in none."""
    return address is not None and any(address in network for network in networks)
