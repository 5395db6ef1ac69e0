"""Aruba: switches with AOS-CX (ARUBAWIRED-*-MIB), controllers with ArubaOS (WLSX-SYSTEMEXT-MIB)."""

from collections.abc import Iterator

from lab.ber import Row, integer, octets, oid
from lab.mibs import host
from lab.mibs.host import Storage
from lab.platforms.columns import ports, scalar, states, table
from lab.platforms.platform import Platform, Reading

WIRED = "1.3.6.1.4.1.47196.4.1.1.3.11"  # chassis: 2 power supplies, 3 temperatures, 5 fans
SUPPLY_OK, SUPPLY_FAULT_IN = 1, 3
FAN_OK, FAN_FAULT = 4, 5
HOT = 85  # Celsius
CX_RAM_KIB = 8_035_660

SYSTEM_EXT = "1.3.6.1.4.1.14823.2.2.1.2.1"
ACTIVE, INACTIVE = 1, 2
CONTROLLER_RAM_KB = 15_728_640


def _cx(reading: Reading) -> Iterator[Row]:
    yield from host.processors(("", ""), reading.cpu_percent, first=196_608)
    used = round(CX_RAM_KIB * reading.memory_used)
    yield from host.storage((Storage(1, "Physical memory", 1_024, CX_RAM_KIB, used),))
    celsius = reading.temperature
    state = "normal" if celsius < HOT else "critical"
    cells = {
        5: octets("1/1-Switch-ASIC"),
        6: octets(state),
        7: integer(round(celsius * 1_000)),
        8: integer(31_000),
        9: integer(round(celsius * 1_000)),
    }
    yield from table(f"{WIRED}.3.1.1", {"1.4.1.1": cells})
    for number, delivers in enumerate(reading.power_supplies, start=1):
        cells = {
            3: octets(f"1/{number}"),
            4: octets("ok" if delivers else "fault_input"),
            5: octets("JL600A"),
            7: integer(52 if delivers else 0),
            8: integer(550),
            11: integer(SUPPLY_OK if delivers else SUPPLY_FAULT_IN),
        }
        yield from table(f"{WIRED}.2.1.1", {f"1.{number}": cells})
    for number, turns in enumerate(reading.fans, start=1):
        cells = {
            4: octets(f"1/1/{number}"),
            5: octets("ok" if turns else "fault"),
            8: integer(8_200 if turns else 0),
            10: integer(FAN_OK if turns else FAN_FAULT),
        }
        yield from table(f"{WIRED}.5.1.1", {f"1.1.{number}": cells})


def _controller(reading: Reading) -> Iterator[Row]:
    loads = {"1": ("Control Processor", 1.0), "2": ("Network Processor CPU1", 0.5)}
    for index, (name, share) in loads.items():
        cells = {2: octets(name), 3: integer(round(reading.cpu_percent * share))}
        yield from table(f"{SYSTEM_EXT}.13.1", {index: cells})
    used = round(CONTROLLER_RAM_KB * reading.memory_used)
    memory = (CONTROLLER_RAM_KB, used, CONTROLLER_RAM_KB - used)
    cells = {column: integer(kb) for column, kb in enumerate(memory, start=2)}
    yield from table(f"{SYSTEM_EXT}.15.1", {"1": cells})
    word = "NORMAL" if reading.temperature < HOT else "CRITICAL"
    text = f"{reading.temperature:.2f} degrees Celsius ({word})"
    yield scalar(f"{SYSTEM_EXT}.10", octets(text))
    yield from states(f"{SYSTEM_EXT}.17.1", 2, reading.fans, up=ACTIVE, down=INACTIVE)
    yield from states(f"{SYSTEM_EXT}.18.1", 2, reading.power_supplies, up=ACTIVE, down=INACTIVE)


PLATFORMS = (
    Platform(
        name="aruba-cx-8360",
        vendor="Aruba",
        model="JL706A",
        sys_object_id=oid("1.3.6.1.4.1.47196.4.1.1.1.422"),
        sys_descr="Aruba JL706A 8360-48Y6C v2 Switch LL.10.13.1010",
        software="LL.10.13.1010",
        services=74,
        ports=ports(48, "1/1/{}", 25_000),
        fans=3,
        power_supplies=2,
        health=_cx,
        oui=bytes.fromhex("883a30"),
        serial_prefix="SG",
        temperature=55.0,
    ),
    Platform(
        name="aruba-7210",
        vendor="Aruba",
        model="Aruba7210",
        sys_object_id=oid("1.3.6.1.4.1.14823.1.1.32"),
        sys_descr="ArubaOS (MODEL: Aruba7210), Version 8.6.0.18 (82820)",
        software="8.6.0.18",
        services=6,
        ports=ports(4, "GE 0/0/{}", 10_000),
        fans=4,
        power_supplies=2,
        health=_controller,
        oui=bytes.fromhex("000b86"),
        serial_prefix="CP",
        temperature=30.0,
    ),
)
