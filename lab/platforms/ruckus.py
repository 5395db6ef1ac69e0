"""Ruckus ICX (Brocade, Foundry) with FastIron: FOUNDRY-SN-AGENT-MIB, a stack of switches."""

from collections.abc import Iterator

from lab.ber import Row, gauge32, integer, octets, oid
from lab.platforms.columns import ports, scalar, states, table
from lab.platforms.platform import Platform, Reading

CHASSIS = "1.3.6.1.4.1.1991.1.1.1"
AGENT = "1.3.6.1.4.1.1991.1.1.2"
NORMAL, FAILURE = 2, 3
BOARD_RUNNING, BOARD_BAD = 10, 4
RAM_BYTES = 1_073_741_824
WARNING, SHUTDOWN = 75, 87  # Celsius; told in units of half a degree


def _health(reading: Reading) -> Iterator[Row]:
    cpu = round(reading.cpu_percent)
    yield scalar(f"{AGENT}.1.52", gauge32(cpu))
    for seconds in (1, 5, 60, 300):
        cells = {4: gauge32(cpu), 5: gauge32(cpu), 6: gauge32(cpu * 100)}
        yield from table(f"{AGENT}.11.1.1", {f"1.1.{seconds}": cells})
    free = round(RAM_BYTES * (1 - reading.memory_used))
    yield scalar(f"{AGENT}.1.53", gauge32(round(reading.memory_used * 100)))
    yield scalar(f"{AGENT}.1.54", gauge32(RAM_BYTES))
    yield scalar(f"{AGENT}.1.55", gauge32(free))
    halves = integer(round(reading.temperature * 2))
    yield scalar(f"{CHASSIS}.1.18", halves)
    yield scalar(f"{CHASSIS}.1.19", integer(WARNING * 2))
    yield scalar(f"{CHASSIS}.1.20", integer(SHUTDOWN * 2))
    cells = {3: octets("MAC temperature sensor"), 4: halves}
    yield from table(f"{AGENT}.13.1.1", {"1.1": cells})
    fans, supplies = reading.fans, reading.power_supplies
    yield from states(
        f"{CHASSIS}.2.1.1", 3, supplies, up=NORMAL, down=FAILURE, named=(2, "Power supply {}")
    )
    yield from states(f"{CHASSIS}.3.1.1", 3, fans, up=NORMAL, down=FAILURE, named=(2, "Fan {}"))
    boards = reading.modules
    named = (2, "ICX7450-48 Module {}")
    yield from states(f"{AGENT}.2.1.1", 12, boards, up=BOARD_RUNNING, down=BOARD_BAD, named=named)


ICX_7450 = Platform(
    name="ruckus-icx7450",
    vendor="Ruckus",
    model="ICX7450-48",
    sys_object_id=oid("1.3.6.1.4.1.1991.1.3.60.3.1"),
    sys_descr=(
        "Ruckus Wireless, Inc. ICX7450-48, IronWare Version 08.0.95gT213 Compiled on Jan 28 2023 "
        "at 00:17:48 labeled as SPR08095g"
    ),
    software="08.0.95gT213",
    services=6,
    ports=ports(48, "GigabitEthernet1/1/{}", 1_000),
    fans=2,
    power_supplies=2,
    modules=2,
    health=_health,
    oui=bytes.fromhex("cc4e24"),
    serial_prefix="EAP",
    temperature=49.0,
)
