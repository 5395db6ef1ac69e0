"""Cisco Catalyst 9300 with IOS-XE: CISCO-PROCESS-MIB, CISCO-MEMORY-POOL-MIB, CISCO-ENVMON-MIB."""

from collections.abc import Iterator

from lab.ber import Row, counter64, gauge32, integer, octets, oid
from lab.mibs.entity import FAN, MODULE, POWER_SUPPLY, SENSOR, Entity
from lab.platforms.platform import Platform, Reading
from lab.ports import PROPRIETARY_VIRTUAL, PortKind

CPM_CPU_TOTAL_ENTRY = oid("1.3.6.1.4.1.9.9.109.1.1.1.1")
MEMORY_POOL_ENTRY = oid("1.3.6.1.4.1.9.9.48.1.1.1")
ENVMON_TEMPERATURE_ENTRY = oid("1.3.6.1.4.1.9.9.13.1.3.1")
ENVMON_FAN_ENTRY = oid("1.3.6.1.4.1.9.9.13.1.4.1")
ENVMON_SUPPLY_ENTRY = oid("1.3.6.1.4.1.9.9.13.1.5.1")
FRU_MODULE_ENTRY = oid("1.3.6.1.4.1.9.9.117.1.2.1.1")
CISCO_CAT_9300 = oid("1.3.6.1.4.1.9.1.2494")  # ciscoCat9300FixedSwitchStack

NORMAL, WARNING, CRITICAL = 1, 2, 3  # CiscoEnvMonState
AC_SUPPLY = 2
MEMORY_KB = 7_689_712
POOL_BYTES = 1_400_000_000  # the heap of IOSd, a part of the above
THRESHOLD = 68  # Celsius
SWITCH, FIRST_FAN, FIRST_SUPPLY, SENSOR_INDEX, UPLINKS = 1_000, 1_010, 1_020, 1_030, 1_040
MODULE_OK, MODULE_FAILED = 2, 7  # ModuleOperType
VERSION = "17.09.04a"
DESCR = (
    "Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.4a, "
    "RELEASE SOFTWARE (fc3)\r\nTechnical Support: http://www.cisco.com/techsupport\r\n"
    "Copyright (c) 1986-2023 by Cisco Systems, Inc.\r\nCompiled Fri 20-Oct-23 10:44 by mcpre"
)


def _parts() -> Iterator[Entity]:
    yield Entity(SWITCH, "Cisco Catalyst 9300 Series Switch", 1, MODULE, "Switch 1")
    for number in (1, 2, 3):
        name = f"Switch 1 - FAN - T1 {number}"
        yield Entity(FIRST_FAN + number, "Switch 1 Fan", SWITCH, FAN, name, number)
    for number in (1, 2):
        letter = "AB"[number - 1]
        name = f"Switch 1 - Power Supply {letter}"
        yield Entity(
            FIRST_SUPPLY + number, name, SWITCH, POWER_SUPPLY, name, number, "PWR-C1-715WAC-P"
        )
    name = "Switch 1 - Inlet Temp Sensor"
    yield Entity(SENSOR_INDEX, name, SWITCH, SENSOR, name)
    name = "Switch 1 FRU Uplink Module 1"
    yield Entity(UPLINKS, "8x10G Uplink Module", SWITCH, MODULE, name, 1, "C9300-NM-8X")


def _health(reading: Reading) -> Iterator[Row]:
    yield from _processor(reading)
    yield from _memory_pool(reading)
    yield from _environment(reading)


def _processor(reading: Reading) -> Iterator[Row]:
    cpu = gauge32(round(reading.cpu_percent))
    used = round(MEMORY_KB * reading.memory_used)
    columns = {2: integer(SWITCH)}
    columns |= dict.fromkeys(range(3, 9), cpu)
    columns |= {
        12: gauge32(used),
        13: gauge32(MEMORY_KB - used),
        17: counter64(used),
        19: counter64(MEMORY_KB - used),
    }
    for column, value in columns.items():
        yield (*CPM_CPU_TOTAL_ENTRY, column, 1), value


def _memory_pool(reading: Reading) -> Iterator[Row]:
    used = round(POOL_BYTES * reading.memory_used * 0.5)
    columns = (
        octets("Processor"),
        integer(0),
        integer(1),
        gauge32(used),
        gauge32(POOL_BYTES - used),
        gauge32(POOL_BYTES - used),
    )
    for column, value in enumerate(columns, start=2):
        yield (*MEMORY_POOL_ENTRY, column, 1), value


def _environment(reading: Reading) -> Iterator[Row]:
    celsius = reading.temperature
    state = NORMAL if celsius < THRESHOLD - 8 else WARNING if celsius < THRESHOLD else CRITICAL
    columns = (
        octets("Switch 1 - Inlet Temp Sensor"),
        gauge32(round(celsius)),
        integer(THRESHOLD),
        integer(0),
        integer(state),
    )
    for column, value in enumerate(columns, start=2):
        yield (*ENVMON_TEMPERATURE_ENTRY, column, SENSOR_INDEX), value
    for number, turns in enumerate(reading.fans, start=1):
        index = FIRST_FAN + number
        yield (*ENVMON_FAN_ENTRY, 2, index), octets(f"Switch 1 - FAN - T1 {number}")
        yield (*ENVMON_FAN_ENTRY, 3, index), integer(NORMAL if turns else CRITICAL)
    for number, delivers in enumerate(reading.power_supplies, start=1):
        index = FIRST_SUPPLY + number
        letter = "AB"[number - 1]
        yield (*ENVMON_SUPPLY_ENTRY, 2, index), octets(f"Switch 1 - Power Supply {letter}")
        yield (*ENVMON_SUPPLY_ENTRY, 3, index), integer(NORMAL if delivers else CRITICAL)
        yield (*ENVMON_SUPPLY_ENTRY, 4, index), integer(AC_SUPPLY)
    for works in reading.modules:
        yield (*FRU_MODULE_ENTRY, 2, UPLINKS), integer(MODULE_OK if works else MODULE_FAILED)


def _ports(
    count: int, long: str, short: str, speed: int, *, first: int, slot: str
) -> tuple[PortKind, ...]:
    return tuple(
        PortKind(first + n - 1, f"{short}{slot}{n}", f"{long}{slot}{n}", speed)
        for n in range(1, count + 1)
    )


_COPPER = _ports(48, "GigabitEthernet", "Gi", 1_000, first=9, slot="1/0/")
_SFP28 = _ports(24, "TwentyFiveGigE", "Twe", 25_000, first=9, slot="1/0/")
_UPLINKS = _ports(8, "TenGigabitEthernet", "Te", 10_000, first=57, slot="1/1/")
_VLAN = (PortKind(74, "Vl1", "Vlan1", 1_000, PROPRIETARY_VIRTUAL),)


def _catalyst(name: str, model: str, ports: tuple[PortKind, ...]) -> Platform:
    return Platform(
        name=name,
        vendor="Cisco",
        model=model,
        sys_object_id=CISCO_CAT_9300,
        sys_descr=DESCR,
        software=VERSION,
        services=6,
        ports=ports,
        fans=3,
        power_supplies=2,
        modules=1,
        parts=_parts,
        health=_health,
        oui=bytes.fromhex("00a289"),
        serial_prefix="FOC",
        temperature=31.0,
    )


CATALYST_9300_48P = _catalyst("catalyst-9300-48p", "C9300-48P", (*_COPPER, *_UPLINKS, *_VLAN))
CATALYST_9300X_24Y = _catalyst("catalyst-9300x-24y", "C9300X-24Y", (*_SFP28, *_UPLINKS, *_VLAN))
# Exactly 48 rows of both interface tables: the unit in which load is counted.
CATALYST_48_PORTS = _catalyst("catalyst-48-ports", "C9300-48T", _COPPER)

PLATFORMS = (CATALYST_9300_48P, CATALYST_9300X_24Y, CATALYST_48_PORTS)
