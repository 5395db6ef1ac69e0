"""ENTITY-MIB (RFC 6933) and ENTITY-SENSOR-MIB (RFC 3433)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.ber import Row, gauge32, integer, object_identifier, octets, timeticks

ENT_PHYSICAL_ENTRY = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
ENT_SENSOR_ENTRY = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)

CHASSIS, POWER_SUPPLY, FAN, SENSOR, MODULE = 3, 6, 7, 8, 9  # PhysicalClass
WATTS, CELSIUS, RPM = 6, 8, 10  # EntitySensorDataType
UNITS = 9  # EntitySensorDataScale: 10^0
OK, UNAVAILABLE = 1, 2  # EntitySensorStatus


@dataclass(frozen=True)
class Entity:
    """A part of a device; the chassis has index 1 and is contained in nothing."""

    index: int
    descr: str
    contained_in: int
    physical_class: int
    name: str
    position: int = 1
    model: str = ""
    serial: str = ""
    software: str = ""
    vendor: str = ""


@dataclass(frozen=True)
class Sensor:
    """A reading of a sensor entity, in the unit of its type."""

    index: int
    sensor_type: int
    value: float
    precision: int = 0  # decimals kept
    status: int = OK


def physical_rows(entities: Iterable[Entity]) -> Iterator[Row]:
    """Return entPhysicalTable, columns 2 to 16."""
    for entity in entities:
        replaceable = 1 if entity.physical_class in {POWER_SUPPLY, FAN} else 2
        columns = {
            2: octets(entity.descr),
            3: object_identifier((0, 0)),
            4: integer(entity.contained_in),
            5: integer(entity.physical_class),
            6: integer(entity.position if entity.contained_in else -1),
            7: octets(entity.name),
            8: octets(""),
            9: octets(""),
            10: octets(entity.software),
            11: octets(entity.serial),
            12: octets(entity.vendor),
            13: octets(entity.model),
            14: octets(""),
            15: octets(""),
            16: integer(replaceable),
        }
        for column, value in columns.items():
            yield (*ENT_PHYSICAL_ENTRY, column, entity.index), value


def sensor_rows(sensors: Iterable[Sensor]) -> Iterator[Row]:
    """Return entPhySensorTable."""
    for sensor in sensors:
        columns = (
            integer(sensor.sensor_type),
            integer(UNITS),
            integer(sensor.precision),
            integer(round(sensor.value * 10**sensor.precision)),
            integer(sensor.status),
            octets({WATTS: "Watts", CELSIUS: "Celsius", RPM: "RPM"}[sensor.sensor_type]),
            timeticks(0),
            gauge32(0),
        )
        for column, value in enumerate(columns, start=1):
            yield (*ENT_SENSOR_ENTRY, column, sensor.index), value
