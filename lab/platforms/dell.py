"""Dell: OS10 (DELLEMC-OS10-CHASSIS-MIB), OS9 (DELL-NETWORKING-CHASSIS-MIB), N-series (FASTPATH)."""

from collections.abc import Iterator

from lab.ber import Row, gauge32, integer, octets, oid
from lab.mibs import host
from lab.mibs.host import Storage
from lab.platforms.columns import ports, scalar, states, table
from lab.platforms.platform import Platform, Reading

OS10 = "1.3.6.1.4.1.674.11000.5000.100.4.1"
OS10_UP, OS10_FAILED = 1, 8  # of power supplies, fan trays and fans
CARD_READY, CARD_PROBLEM = 1, 3
OS10_RAM_KIB = 3_962_304

OS9 = "1.3.6.1.4.1.6027.3.26.1"
OS9_UP, OS9_DOWN = 1, 2
UNIT_OK, UNIT_DOWN = 1, 5  # of a stack

FASTPATH = "1.3.6.1.4.1.674.10895.5000.2.6132.1.1"
OPERATIONAL, FAILED = 2, 3
NORMAL, WARNING, CRITICAL = 1, 2, 3
WARM, HOT = 70, 80  # Celsius
N_SERIES_RAM_KB = 1_014_836


def _os10(reading: Reading) -> Iterator[Row]:
    yield from host.processors(("", ""), reading.cpu_percent, first=196_608)
    used = round(OS10_RAM_KIB * reading.memory_used)
    yield from host.storage((Storage(1, "Physical memory", 1_024, OS10_RAM_KIB, used),))
    celsius = integer(round(reading.temperature))
    yield from table(f"{OS10}.1.3.1", {"1": {7: octets("SVCTAG1"), 11: celsius}})
    yield from table(f"{OS10}.1.4.1", {"1.1": {3: octets("S4148F-ON"), 5: celsius}})
    cards = reading.modules
    yield from states(f"{OS10}.1.4.1", 4, cards, up=CARD_READY, down=CARD_PROBLEM, index="1.{}")
    yield from states(f"{OS10}.2.1.1", 4, reading.power_supplies, up=OS10_UP, down=OS10_FAILED)
    trays = (True,) * len(reading.fans)
    yield from states(f"{OS10}.2.2.1", 4, trays, up=OS10_UP, down=OS10_FAILED)
    yield from states(f"{OS10}.2.3.1", 7, reading.fans, up=OS10_UP, down=OS10_FAILED)


def _os9(reading: Reading) -> Iterator[Row]:
    cpu = gauge32(round(reading.cpu_percent))
    memory = gauge32(round(reading.memory_used * 100))
    # Indexed by type (stack unit), chassis and number of the processor.
    yield from table(f"{OS9}.4.4.1", {"2.1.1": {1: cpu, 4: cpu, 5: cpu, 6: memory}})
    hot = gauge32(round(reading.temperature))
    yield from table(f"{OS9}.3.4.1", {str(n + 1): {13: hot} for n in range(len(reading.modules))})
    yield from states(f"{OS9}.3.4.1", 8, reading.modules, up=UNIT_OK, down=UNIT_DOWN)
    supplies = reading.power_supplies
    yield from states(f"{OS9}.4.6.1", 4, supplies, up=OS9_UP, down=OS9_DOWN, index="2.1.{}")
    yield from states(f"{OS9}.4.7.1", 4, reading.fans, up=OS9_UP, down=OS9_DOWN, index="2.1.{}")


def _n_series(reading: Reading) -> Iterator[Row]:
    cpu = reading.cpu_percent
    text = f"    5 Secs ({cpu:8.4f}%)   60 Secs ({cpu:8.4f}%)  300 Secs ({cpu:8.4f}%)"
    yield scalar(f"{FASTPATH}.1.1.4.9", octets(text))
    free = round(N_SERIES_RAM_KB * (1 - reading.memory_used))
    yield scalar(f"{FASTPATH}.1.1.4.1", integer(free))
    yield scalar(f"{FASTPATH}.1.1.4.2", integer(N_SERIES_RAM_KB))
    celsius = reading.temperature
    state = NORMAL if celsius < WARM else WARNING if celsius < HOT else CRITICAL
    cells = {
        1: integer(1),
        2: integer(0),
        3: integer(1),
        4: integer(state),
        5: integer(round(celsius)),
    }
    yield from table(f"{FASTPATH}.43.1.8.1", {"1.0": cells})
    yield from states(f"{FASTPATH}.43.1.6.1", 3, reading.fans, up=OPERATIONAL, down=FAILED)
    supplies = reading.power_supplies
    yield from states(f"{FASTPATH}.43.1.7.1", 3, supplies, up=OPERATIONAL, down=FAILED)


PLATFORMS = (
    Platform(
        name="dell-s4148f-os10",
        vendor="Dell",
        model="S4148F-ON",
        sys_object_id=oid("1.3.6.1.4.1.674.11000.5000.100.2.1.9"),
        sys_descr=(
            "Dell EMC Networking OS10 Enterprise.\r\nCopyright (c) 1999-2020 by Dell Inc. All "
            "Rights Reserved.\r\nSystem Description: OS10 Enterprise.\r\nOS Version: 10.5.2.3.\r\n"
            "System Type: S4148F-ON"
        ),
        software="10.5.2.3",
        services=6,
        ports=ports(54, "ethernet1/1/{}", 10_000),
        fans=4,
        power_supplies=2,
        modules=1,
        health=_os10,
        oui=bytes.fromhex("684f64"),
        serial_prefix="CN0",
        temperature=37.0,
    ),
    Platform(
        name="dell-s4810-os9",
        vendor="Dell",
        model="S4810",
        sys_object_id=oid("1.3.6.1.4.1.6027.1.3.14"),
        sys_descr=(
            "Dell EMC Networking OS\r\nOperating System Version: 2.0\r\nApplication Software "
            "Version: 9.14(2.4)\r\nSeries: S4810\r\nCopyright (c) 1999-2019 by Dell Inc. All "
            "Rights Reserved."
        ),
        software="9.14(2.4)",
        services=6,
        ports=ports(48, "TenGigabitEthernet 0/{}", 10_000),
        fans=2,
        power_supplies=2,
        modules=2,
        health=_os9,
        oui=bytes.fromhex("0001e8"),
        serial_prefix="HA",
        temperature=36.0,
    ),
    Platform(
        name="dell-n1548p",
        vendor="Dell",
        model="N1548P",
        sys_object_id=oid("1.3.6.1.4.1.674.10895.3066"),
        sys_descr="Dell Networking N1548P, 6.3.3.10, Linux 3.6.5",
        software="6.3.3.10",
        services=6,
        ports=ports(48, "Gi1/0/{}", 1_000),
        fans=2,
        power_supplies=1,
        health=_n_series,
        oui=bytes.fromhex("f48e38"),
        serial_prefix="CN0",
        temperature=38.0,
    ),
)
