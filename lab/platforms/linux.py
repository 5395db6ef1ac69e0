"""A Linux router with net-snmp: UCD-SNMP-MIB, HOST-RESOURCES-MIB, LM-SENSORS-MIB."""

from collections.abc import Iterator

from lab.ber import Row, gauge32, integer, octets, oid
from lab.mibs import host
from lab.mibs.host import Storage
from lab.platforms.columns import scalar, table
from lab.platforms.platform import Platform, Reading
from lab.ports import LOOPBACK, PortKind

UCD = "1.3.6.1.4.1.2021"
RAM_KIB, SWAP_KIB = 8_140_312, 2_097_148
BUFFERS_KIB, CACHE_KIB = 210_400, 1_920_332


def _health(reading: Reading) -> Iterator[Row]:
    yield from host.processors(
        ("GenuineIntel: Intel(R) Xeon(R)",) * 4, reading.cpu_percent, 196_608
    )
    programs = round((RAM_KIB - BUFFERS_KIB - CACHE_KIB) * reading.memory_used)
    available = RAM_KIB - programs - BUFFERS_KIB - CACHE_KIB
    used = RAM_KIB - available
    memory = {3: SWAP_KIB, 4: SWAP_KIB, 5: RAM_KIB, 6: available, 14: BUFFERS_KIB, 15: CACHE_KIB}
    for column, kib in memory.items():
        yield scalar(f"{UCD}.4.{column}", integer(kib))
    yield from host.storage(
        (
            Storage(1, "Physical memory", 1_024, RAM_KIB, used),
            Storage(6, "Memory buffers", 1_024, RAM_KIB, BUFFERS_KIB),
            Storage(7, "Cached memory", 1_024, CACHE_KIB, CACHE_KIB),
        )
    )
    load = reading.cpu_percent / 25
    loads = {n: {3: octets(f"{load:.2f}"), 5: integer(round(load * 100))} for n in (1, 2, 3)}
    yield from table(f"{UCD}.10.1", {str(n): cells for n, cells in loads.items()})
    milli = gauge32(round(reading.temperature * 1_000))
    cells = {1: integer(1), 2: octets("Package id 0"), 3: milli}
    yield from table(f"{UCD}.13.16.2.1", {"1": cells})


LINUX_ROUTER = Platform(
    name="linux-router",
    vendor="net-snmp",
    model="x86_64",
    sys_object_id=oid("1.3.6.1.4.1.8072.3.2.10"),
    sys_descr="Linux gateway 6.1.0-18-amd64 #1 SMP Debian 6.1.76-1 (2024-02-01) x86_64",
    software="6.1.0-18-amd64",
    services=72,
    ports=(
        PortKind(1, "lo", "lo", 10, LOOPBACK),
        *(PortKind(n + 1, f"eth{n - 1}", f"eth{n - 1}", 10_000) for n in range(1, 5)),
    ),
    fans=0,
    power_supplies=0,
    health=_health,
    oui=bytes.fromhex("525400"),
    serial_prefix="VM",
    temperature=47.0,
    router=True,
)
