"""Which device a datagram comes from: by its source address, and by nothing in it."""

import asyncio
import ipaddress
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.errors import ProtocolError
from exporter.inventory import Device, Inventory
from exporter.protocols.snmp import Target

log = logging.getLogger(__name__)

LOOKED_UP_EVERY = 300.0  # seconds until names of devices are looked up again
LOOK_SECONDS = 1.0  # between two looks whether there is another snapshot
AT_ONCE = 16  # names looked up side by side


def canonical(address: str) -> str:
    """Return an address as it is compared: an IPv4 one inside of IPv6 is the IPv4 one."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


@dataclass(slots=True)
class Sources:
    """The devices of the inventory by address; those that share one cannot be told apart."""

    inventory: Inventory
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    _devices: Mapping[str, Device] | None = field(default=None, init=False, repr=False)
    _looked_up: float = field(default=0.0, init=False)

    def names(self, address: str) -> tuple[str, ...]:
        """Return the devices at an address that are still in the inventory."""
        found = self.known.get(canonical(address), ())
        return tuple(name for name in found if name in self.inventory.devices)

    async def run(self) -> None:
        """Follow the inventory for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(LOOK_SECONDS)

    async def refresh(self) -> None:
        """Take over what the inventory has become, and look names up where it is time to."""
        now = asyncio.get_running_loop().time()
        devices = self.inventory.devices
        if devices is self._devices and now < self._looked_up + LOOKED_UP_EVERY:
            return
        gate = asyncio.Semaphore(AT_ONCE)
        addresses = await asyncio.gather(*(_address(d, gate) for d in devices.values()))
        found: dict[str, tuple[str, ...]] = defaultdict(tuple)
        for name, address in zip(devices, addresses, strict=True):
            if address:
                found[address] += (name,)
        self.known, self._devices, self._looked_up = dict(found), devices, now


async def _address(device: Device, gate: asyncio.Semaphore) -> str:
    """Return the address of a device, or nothing where its name has none now."""
    try:
        return canonical(device.address)
    except ValueError:
        pass
    async with gate:
        try:
            return canonical(await Target(device.address).address())
        except ProtocolError as error:
            log.warning("no traps from a device", extra={"error": str(error)})
            return ""
