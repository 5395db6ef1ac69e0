"""HP ProCurve 2530: STATISTICS-MIB, NETSWITCH-MIB and HP-ICF-CHASSIS."""

from collections.abc import Iterator

from lab.ber import Row, counter32, integer, object_identifier, octets, oid
from lab.mibs.entity import FAN, POWER_SUPPLY, Entity
from lab.platforms.platform import LOCAL, Platform, Reading
from lab.ports import PROPRIETARY_VIRTUAL, PortKind

HP_SWITCH_CPU_STAT = oid("1.3.6.1.4.1.11.2.14.11.5.1.9.6.1.0")
HP_LOCAL_MEM_ENTRY = oid("1.3.6.1.4.1.11.2.14.11.5.1.1.2.1.1.1")
HP_SWITCH_OS_VERSION = oid("1.3.6.1.4.1.11.2.14.11.5.1.1.3.0")
HP_HTTP_MG_SERIAL_NUMBER = oid("1.3.6.1.4.1.11.2.36.1.1.2.9.0")
HPICF_SENSOR_ENTRY = oid("1.3.6.1.4.1.11.2.14.11.1.2.6.1")
HP_SYSTEM_AIR_ENTRY = oid("1.3.6.1.4.1.11.2.14.11.1.2.8.1.1")
SENSOR_KINDS = oid("1.3.6.1.4.1.11.2.3.7.8.3")
POWER, FAN_KIND, TEMPERATURE = 1, 2, 3  # arcs below hpicfSensorObjectId
BAD, WARNING, GOOD = 2, 3, 4  # hpicfSensorStatus
OVER_TEMPERATURE, TEMPERATURE_FINE = 1, 2
THRESHOLD = 57  # Celsius
MEMORY_BYTES = 98_304_000
VERSION = "YA.16.11.0003"


def _memory(reading: Reading) -> Iterator[Row]:
    used = round(MEMORY_BYTES * reading.memory_used)
    columns = (
        integer(1),
        counter32(5_300),
        counter32(210),
        counter32(5_090),
        integer(MEMORY_BYTES),
        integer(MEMORY_BYTES - used),
        integer(used),
    )
    for column, value in enumerate(columns, start=1):
        yield (*HP_LOCAL_MEM_ENTRY, column, 1), value


def _sensors(reading: Reading) -> Iterator[tuple[int, int, str]]:
    for number, turns in enumerate(reading.fans, start=1):
        yield FAN_KIND, GOOD if turns else BAD, f"Fan Sensor {number}"
    for number, delivers in enumerate(reading.power_supplies, start=1):
        yield POWER, GOOD if delivers else BAD, f"Power Supply Sensor {number}"
    hot = reading.temperature
    status = GOOD if hot < THRESHOLD - 5 else WARNING if hot < THRESHOLD else BAD
    yield TEMPERATURE, status, "Over Temperature Sensor"


def _health(reading: Reading) -> Iterator[Row]:
    yield HP_SWITCH_CPU_STAT, integer(round(reading.cpu_percent))
    yield HP_SWITCH_OS_VERSION, octets(VERSION)
    yield from _memory(reading)
    for index, (kind, status, descr) in enumerate(_sensors(reading), start=1):
        columns = (
            integer(index),
            object_identifier((*SENSOR_KINDS, kind)),
            integer(1),
            integer(status),
            counter32(0),
            counter32(0),
            octets(descr),
        )
        for column, value in enumerate(columns, start=1):
            yield (*HPICF_SENSOR_ENTRY, column, index), value
    yield from _air(round(reading.temperature))


def _air(celsius: int) -> Iterator[Row]:
    # These are strings such as "27C" on the real device too.
    columns = (
        octets("Sys-1"),
        octets(f"{celsius}C"),
        octets("41C"),
        octets("18C"),
        integer(OVER_TEMPERATURE if celsius >= THRESHOLD else TEMPERATURE_FINE),
        octets(f"{THRESHOLD}C"),
    )
    for column, value in enumerate(columns, start=2):
        yield (*HP_SYSTEM_AIR_ENTRY, column, 0), value


def _parts() -> Iterator[Entity]:
    yield Entity(2, "Fan", 1, FAN, "Fan 1")
    yield Entity(3, "Power Supply", 1, POWER_SUPPLY, "Power Supply 1")


PROCURVE_2530_48G = Platform(
    name="procurve-2530-48g",
    vendor="HPE",
    model="J9775A",
    sys_object_id=oid("1.3.6.1.4.1.11.2.3.7.11.139"),  # hpSwitchJ9775A
    sys_descr=f"HP J9775A 2530-48G Switch, revision {VERSION}, ROM YA.15.20",
    software=VERSION,
    services=2,
    ports=(
        *(PortKind(n, str(n), str(n), 1_000) for n in range(1, 53)),
        PortKind(53, "DEFAULT_VLAN", "DEFAULT_VLAN", 1_000, PROPRIETARY_VIRTUAL),
    ),
    fans=1,
    power_supplies=1,
    parts=_parts,
    health=_health,
    oui=bytes.fromhex("9457a5"),
    serial_prefix="CN",
    temperature=29.0,
    serial_object=HP_HTTP_MG_SERIAL_NUMBER,
    port_id_subtype=LOCAL,
)
