"""Extreme: XOS (EXTREME-SYSTEM-MIB), VOSS (RAPID-CITY), SLX (SW-MIB of Brocade)."""

from collections.abc import Iterator

from lab.ber import Row, integer, octets, oid
from lab.platforms.columns import ports, scalar, states, table
from lab.platforms.platform import Platform, Reading

XOS = "1.3.6.1.4.1.1916.1"
TRUE, FALSE = 1, 2
SUPPLY_OK, SUPPLY_NOT_OK = 2, 3
MEMBER_UP, MEMBER_DOWN = 1, 2
XOS_LIMIT = 85  # Celsius
XOS_RAM_KB = 1_048_576

VOSS = "1.3.6.1.4.1.2272.1"
FAN_UP, FAN_DOWN = 2, 3
POWER_UP, POWER_DOWN = 3, 4
VOSS_WARNING, VOSS_CRITICAL = 75, 85  # Celsius
VOSS_RAM_KB = 4_000_000

SLX = "1.3.6.1.4.1.1588.2.1.1.1"
TEMPERATURE, FAN, POWER = 1, 2, 3  # swSensorType
FAULTY, NOMINAL, ABOVE = 2, 4, 5  # swSensorStatus


def _xos(reading: Reading) -> Iterator[Row]:
    # The same object is an INTEGER on some releases, and text on this one.
    yield scalar(f"{XOS}.32.1.2", octets(f"{reading.cpu_percent:.0f}"))
    free = round(XOS_RAM_KB * (1 - reading.memory_used))
    memory = {2: octets(str(XOS_RAM_KB)), 3: octets(str(free)), 4: octets("0"), 5: octets("0")}
    yield from table(f"{XOS}.32.2.2.1", {"1": memory})
    hot = reading.temperature > XOS_LIMIT
    yield scalar(f"{XOS}.1.1.7", integer(TRUE if hot else FALSE))
    yield scalar(f"{XOS}.1.1.8", integer(round(reading.temperature)))
    for number, turns in enumerate(reading.fans, start=1):
        cells = {1: integer(number), 2: integer(TRUE if turns else FALSE)}
        cells[4] = integer(5_200 if turns else 0)
        yield from table(f"{XOS}.1.1.9.1", {str(100 + number): cells})
    supplies = reading.power_supplies
    yield from states(f"{XOS}.1.1.27.1", 2, supplies, up=SUPPLY_OK, down=SUPPLY_NOT_OK)
    yield from states(f"{XOS}.33.2.1", 3, reading.modules, up=MEMBER_UP, down=MEMBER_DOWN)


def _voss(reading: Reading) -> Iterator[Row]:
    cpu = integer(round(reading.cpu_percent))
    used = round(VOSS_RAM_KB * reading.memory_used)
    performance = {2: cpu, 3: cpu, 6: integer(used), 7: integer(VOSS_RAM_KB - used)}
    yield from table(f"{VOSS}.85.10.1.1", {"1": performance})
    celsius = reading.temperature
    cells = {
        2: octets("CPU"),
        3: integer(round(celsius)),
        4: integer(VOSS_WARNING),
        5: integer(VOSS_CRITICAL),
        6: integer(1 if celsius < VOSS_WARNING else 2 if celsius < VOSS_CRITICAL else 3),
    }
    yield from table(f"{VOSS}.101.1.1.2.1", {"1": cells})
    fans = reading.fans
    named = (3, "Tray 1 Fan {}")
    tray = "1.{}"
    yield from states(
        f"{VOSS}.101.1.1.4.1", 4, fans, up=FAN_UP, down=FAN_DOWN, index=tray, named=named
    )
    yield from states(f"{VOSS}.4.7.1.1", 2, fans, up=FAN_UP, down=FAN_DOWN)
    yield from states(f"{VOSS}.4.8.1.1", 2, reading.power_supplies, up=POWER_UP, down=POWER_DOWN)


def _slx(reading: Reading) -> Iterator[Row]:
    yield scalar(f"{SLX}.26.1", integer(round(reading.cpu_percent)))
    yield scalar(f"{SLX}.26.6", integer(round(reading.memory_used * 100)))
    celsius = reading.temperature
    state = NOMINAL if celsius < XOS_LIMIT else ABOVE
    sensors = [(TEMPERATURE, state, round(celsius), "SLOT #0: TEMP #1")]
    for number, turns in enumerate(reading.fans, start=1):
        state, rpm = (NOMINAL, 6_100) if turns else (FAULTY, 0)
        sensors.append((FAN, state, rpm, f"FAN #{number}"))
    for number, delivers in enumerate(reading.power_supplies, start=1):
        state = NOMINAL if delivers else FAULTY
        sensors.append((POWER, state, int(delivers), f"Power Supply #{number}"))
    for index, (kind, state, value, info) in enumerate(sensors, start=1):
        cells = {1: integer(index), 2: integer(kind), 3: integer(state)}
        cells |= {4: integer(value), 5: octets(info)}
        yield from table(f"{SLX}.1.22.1", {str(index): cells})


PLATFORMS = (
    Platform(
        name="extreme-x460g2",
        vendor="Extreme",
        model="X460G2-48t-10G4",
        sys_object_id=oid("1.3.6.1.4.1.1916.2.201"),
        sys_descr=(
            "ExtremeXOS (Stack) version 22.7.1.2 22.7.1.2 by release-manager on Mon Jul 15 "
            "11:17:16 EDT 2019"
        ),
        software="22.7.1.2",
        services=79,
        ports=ports(48, "1:{}", 1_000, first=1_001),
        fans=3,
        power_supplies=2,
        modules=2,
        health=_xos,
        oui=bytes.fromhex("000496"),
        serial_prefix="1612N-",
        temperature=41.0,
    ),
    Platform(
        name="extreme-vsp4450",
        vendor="Extreme",
        model="VSP-4450GSX-PWR+",
        sys_object_id=oid("1.3.6.1.4.1.2272.206"),
        sys_descr="VSP-4450GSX-PWR+ (8.4.2.0)",
        software="8.4.2.0",
        services=78,
        ports=ports(48, "1/{}", 1_000, first=192),
        fans=2,
        power_supplies=2,
        health=_voss,
        oui=bytes.fromhex("b0adaa"),
        serial_prefix="14JP",
        temperature=44.0,
    ),
    Platform(
        name="extreme-slx9540",
        vendor="Extreme",
        model="SLX9540",
        sys_object_id=oid("1.3.6.1.4.1.1916.2.332"),
        sys_descr=(
            "Extreme Networks BR-SLX9540, SLX Operating System Version 20.2.3, "
            "Extreme BR-SLX9540 Switch"
        ),
        software="20.2.3",
        services=6,
        ports=ports(48, "Ethernet 0/{}", 10_000),
        fans=5,
        power_supplies=2,
        health=_slx,
        oui=bytes.fromhex("609c9f"),
        serial_prefix="EXG",
        temperature=39.0,
    ),
)
