"""Which device a datagram comes from: by its source address, and by nothing in it."""

import asyncio
import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.errors import ProtocolError, UnresolvedName
from exporter.inventory import Device, Inventory
from exporter.protocols.snmp import Target

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between two looks whether there is a name to look up
ANSWER_SECONDS = 5.0  # for which an answer about a name is waited for
# Until a name is looked up again that had an address, or none. Few are looked up side by side:
# scrapes look up names, too, with the same few threads.
FRESH_SECONDS, FAILED_SECONDS = 300.0, 30.0
AT_ONCE = 4


def canonical(address: str) -> str:
    """Return an address as it is compared: an IPv4 one inside of IPv6 is the IPv4 one."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


@dataclass(slots=True)
class Host:
    """A host name: the address it was found to have, if any, and when to look again."""

    address: str = ""
    due: float = 0.0
    failed: bool = False


@dataclass(slots=True)
class Sources:
    """The devices of the inventory by address; those that share one cannot be told apart.

    Addresses count as soon as the inventory has them, host names when they were looked up.
    """

    inventory: Inventory
    patience: float = ANSWER_SECONDS
    _devices: Mapping[str, Device] | None = field(default=None, init=False, repr=False)
    # Devices by address or host name as the inventory has it; host names, also by address.
    _at: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)
    _hosts: dict[str, Host] = field(default_factory=dict, init=False, repr=False)
    _found: dict[str, set[str]] = field(default_factory=dict, init=False, repr=False)

    def names(self, address: str) -> tuple[str, ...]:
        """Return the devices at an address that are in the inventory."""
        self._follow()
        known = canonical(address)
        places = (known, *self._found.get(known, ()))
        return tuple(name for place in places for name in self._at.get(place, ()))

    async def run(self) -> None:
        """Look names up for ever, those that are new or that were looked up long ago."""
        while True:
            self._follow()
            now = asyncio.get_running_loop().time()
            due = [name for name, host in self._hosts.items() if host.due <= now][:AT_ONCE]
            await asyncio.gather(*map(self._look_up, due))
            if not due:
                await asyncio.sleep(LOOK_SECONDS)

    def _follow(self) -> None:
        """Take over what the inventory has become."""
        if (devices := self.inventory.devices) is self._devices:
            return
        hosts: dict[str, Host] = {}
        self._devices, self._at = devices, {}
        for name, device in devices.items():
            try:
                place = canonical(device.address)
            except ValueError:
                place = device.address
                hosts[place] = self._hosts.get(place) or Host()
            self._at.setdefault(place, []).append(name)
        self._hosts, self._found = hosts, {}
        for place, host in hosts.items():
            self._found.setdefault(host.address, set()).add(place)

    async def _look_up(self, name: str) -> None:
        """Note the address of a host; where nobody can say now, it keeps the one it had."""
        host, address, problem = self._hosts[name], "", ""
        try:
            async with asyncio.timeout(self.patience):
                address = canonical(await Target(name).address())
        except UnresolvedName as error:
            problem = str(error)
        except (ProtocolError, TimeoutError) as error:
            address, problem = host.address, str(error) or "no answer in time"
        if problem and not host.failed:
            log.warning("no traps from a device", extra={"host": name, "error": problem})
        self._found.get(host.address, set()).discard(name)
        self._found.setdefault(address, set()).add(name)
        wait = FAILED_SECONDS if problem else FRESH_SECONDS
        host.address, host.failed = address, bool(problem)
        host.due = asyncio.get_running_loop().time() + wait
