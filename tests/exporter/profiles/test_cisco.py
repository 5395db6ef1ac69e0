import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import answers, applied

CISCO = "1.3.6.1.4.1.9.9"
PROCESS = f"{CISCO}.109.1.1.1.1"
POOL = f"{CISCO}.221.1.1.1.1"
SENSOR, THRESHOLD = f"{CISCO}.91.1.1.1.1", f"{CISCO}.91.1.2.1.1"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
NAME, CLASS = "7", "5"


def sensor(kind: int, scale: int, precision: int, value: int, status: int = 1) -> dict[str, Value]:
    """Return a sensor of CISCO-ENTITY-SENSOR-MIB, number 8."""
    row = {"1": kind, "2": scale, "3": precision, "4": value, "5": status}
    return answers(SENSOR, {column: {"8": number} for column, number in row.items()}) | {
        f"{ENTITY}.{NAME}.8": b"Inlet"
    }


def limits(configuration: Configuration, *rows: tuple[int, int, int]) -> dict[str, float]:
    """Return the limits of a temperature sensor with rows of severity, relation and value."""
    table: dict[str, Value] = {}
    for index, row in enumerate(rows, 1):
        table |= answers(THRESHOLD, {str(c): {f"8.{index}": v} for c, v in enumerate(row, 2)})
    found = applied(
        configuration.modules["cisco_entity_sensor_limit"], sensor(8, 9, 1, 300) | table
    )
    prefix = "chm_temperature_limit_celsius{limit="
    return {k.removeprefix(prefix).split(",")[0].strip('"'): v for k, v in found.items()}


@pytest.mark.parametrize(
    ("sys_object_id", "sys_descr", "profile"),
    [
        ("9.1.1208", "Cisco IOS Software, C2960X Software (C2960X-UNIVERSALK9-M)", "cisco_ios"),
        (
            "9.1.1639",
            "Cisco IOS Software, ASR1000 (X86_64_LINUX_IOSD-UNIVERSALK9-M)",
            "cisco_ios_xe",
        ),
        ("9.1.2494", "Cisco IOS Software, Catalyst L3 Switch (CAT9K_IOSXE)", "cisco_ios_xe"),
        ("9.1.2682", "Cisco IOS Software [Gibraltar], IE3x00 Switch Software", "cisco_ios_xe"),
        ("9.1.1069", "Cisco Controller", "cisco_wlc"),
        ("9.1.1641", "Cisco IOS XR Software (Cisco ASR9K Series), Version 5.3.3", "cisco_ios_xr"),
        ("9.12.3.1.3.1812", "Cisco NX-OS(tm) n9000, Software (n9000-dk9)", "cisco_nx_os"),
        ("9.1.2114", "Cisco Adaptive Security Appliance Version 9.8(2)", "cisco_asa"),
    ],
)
def test_operating_systems(
    configuration: Configuration, sys_object_id: str, sys_descr: str, profile: str
) -> None:
    """The description tells the operating systems of Cisco apart."""
    object_id = f"1.3.6.1.4.1.{sys_object_id}"
    assert identify.profile(configuration.profiles, object_id, sys_descr) == profile


class TestProcessor:
    @pytest.mark.parametrize("physical", [{}, {"2": {"1": 0}}], ids=["absent", "zero"])
    def test_without_a_part_it_is_the_chassis(
        self, configuration: Configuration, physical: dict[str, dict[str, Value]]
    ) -> None:
        """A physical index of 0, or none, is the chassis."""
        found = answers(PROCESS, {"8": {"1": 53}, **physical})
        assert applied(configuration.modules["cisco_cpu"], found) == {
            'chm_cpu_utilization_ratio{cpu="Chassis"}': 0.53
        }

    def test_system_load_is_the_last_resort(self, configuration: Configuration) -> None:
        """NX-OS can tell 0 for the system while its process table knows better."""
        system: dict[str, Value] = {f"{CISCO}.305.1.1.1.0": 0}
        table = configuration.modules["cisco_cpu"]
        told = applied(table, system | answers(PROCESS, {"8": {"1": 16}}))
        assert told == {'chm_cpu_utilization_ratio{cpu="Chassis"}': 0.16}
        assert applied(table, system) == {'chm_cpu_utilization_ratio{cpu="Chassis"}': 0}

    def test_cores(self, configuration: Configuration) -> None:
        """Each core of each processor is told, under the name of the processor."""
        found = answers(f"{CISCO}.109.1.1.2.1", {"5": {"2.0": 7, "2.1": 8}})
        found |= {f"{PROCESS}.2.2": 1000, f"{ENTITY}.{NAME}.1000": b"Switch 1"}
        assert applied(configuration.modules["cisco_cpu_core"], found) == {
            'chm_cpu_utilization_ratio{cpu="Switch 1 core 0"}': 0.07,
            'chm_cpu_utilization_ratio{cpu="Switch 1 core 1"}': 0.08,
        }

    def test_packet_processor(self, configuration: Configuration) -> None:
        """Of the four averages of a QFP the one of five minutes is taken, as of processors."""
        found = answers(f"{CISCO}.715.1.1.6.1", {"14": {f"9.{i}": i * 10 for i in (1, 2, 3, 4)}})
        assert applied(configuration.modules["cisco_qfp"], found) == {
            'chm_cpu_utilization_ratio{cpu="QFP"}': 0.3
        }


class TestMemory:
    def test_kilobytes(self, configuration: Configuration) -> None:
        """The MIB counts cpmCPUMemory in kilobytes."""
        found = answers(PROCESS, {"12": {"7": 100}, "13": {"7": 300}})
        assert applied(configuration.modules["cisco_process_memory"], found) == {
            'chm_memory_used_bytes{pool="Processor"}': 102_400,
            'chm_memory_size_bytes{pool="Processor"}': 409_600,
        }

    def test_saturated_pool(self, configuration: Configuration) -> None:
        """The 64-bit columns of a memory pool come before the 32-bit ones that saturate."""
        full = {"1.1": 2**32 - 1}
        wide = {"18": {"1.1": 5 * 2**30}, "20": {"1.1": 3 * 2**30}}
        found = answers(POOL, {"3": {"1.1": b"DRAM"}, "7": full, "8": full, **wide})
        assert applied(configuration.modules["cisco_enhanced_memory"], found) == {
            'chm_memory_used_bytes{pool="DRAM"}': 5 * 2**30,
            'chm_memory_size_bytes{pool="DRAM"}': 8 * 2**30,
        }

    def test_pools_of_nodes(self, configuration: Configuration) -> None:
        """The nodes of a chassis have pools of the same name, told apart by the node."""
        used, free = {"5.1": 3 * 2**30, "6.1": 2**30}, {"5.1": 2**30, "6.1": 2**30}
        found = answers(POOL, {"3": dict.fromkeys(used, b"processor"), "18": used, "20": free})
        found |= answers(ENTITY, {NAME: {"5": b"0/RSP0/CPU0", "6": b"0/0/CPU0"}})
        assert applied(configuration.modules["cisco_enhanced_memory"], found) == {
            'chm_memory_used_bytes{pool="0/RSP0/CPU0 processor"}': 3 * 2**30,
            'chm_memory_used_bytes{pool="0/0/CPU0 processor"}': 2**30,
            'chm_memory_size_bytes{pool="0/RSP0/CPU0 processor"}': 4 * 2**30,
            'chm_memory_size_bytes{pool="0/0/CPU0 processor"}': 2 * 2**30,
        }

    def test_reserved_pool(self, configuration: Configuration) -> None:
        """The pool that IOS-XE always fills for its packets is no news."""
        found = answers(POOL, {"3": {"1.3": b"lsmpi_io"}, "7": {"1.3": 6294304}, "8": {"1.3": 824}})
        assert applied(configuration.modules["cisco_enhanced_memory"], found) == {}


class TestEnvironment:
    def test_absent_supply(self, configuration: Configuration) -> None:
        """A power supply that is not present is neither up nor down."""
        found = answers(f"{CISCO}.13.1.5.1", {"2": {"1": b"PS1"}, "3": {"1": 5}})
        assert applied(configuration.modules["cisco_envmon"], found) == {}

    @pytest.mark.parametrize(
        ("described", "name"),
        [
            (b"SW#1, Sensor#1, YELLOW ", "SW#1, Sensor#1"),
            (b"Sw1, PS1 Normal, RPS NotExist", "Sw1, PS1"),
            (b"Switch 1 - Power Supply A, Not Functioning", "Switch 1 - Power Supply A"),
            (b"Sw2, PS1 Not Present, RPS NotExist", "Sw2, PS1"),
            (b"Switch 2 - Power Supply B, No Input Power", "Switch 2 - Power Supply B"),
            (b"chassis", "chassis"),
        ],
    )
    def test_state_in_the_name(
        self, configuration: Configuration, described: bytes, name: str
    ) -> None:
        """Catalysts tell the state in the description, but a part keeps its name."""
        found = answers(f"{CISCO}.13.1.5.1", {"2": {"1": described}, "3": {"1": 1}})
        told = applied(configuration.modules["cisco_envmon"], found)
        assert told[f'chm_power_supply_up{{psu="{name}"}}'] == 1

    def test_millivolts(self, configuration: Configuration) -> None:
        """Voltages and their limits are told in thousandths; one that is not present is none."""
        rows: dict[str, dict[str, Value]] = {"2": {"1": b"+3.45 V, Normal", "2": b"+5.15 V"}}
        rows |= {"3": {"1": 3449, "2": 0}, "4": {"1": 2750}, "5": {"1": 3550}}
        rows |= {"7": {"1": 1, "2": 5}}
        found = applied(configuration.modules["cisco_envmon"], answers(f"{CISCO}.13.1.2.1", rows))
        assert {key: value for key, value in found.items() if "degraded" not in key} == {
            'chm_sensor_volts{sensor="+3.45 V"}': 3.449,
            'chm_sensor_limit_volts{limit="low_critical",sensor="+3.45 V"}': 2.75,
            'chm_sensor_limit_volts{limit="high_critical",sensor="+3.45 V"}': 3.55,
            'chm_sensor_ok{sensor="+3.45 V"}': 1,
        }

    def test_test_point_without_a_thermometer(self, configuration: Configuration) -> None:
        """A test point that only tells its state reads 0, which is no temperature."""
        row = {"3": {"1": 0}, "4": {"1": 0}, "6": {"1": 1}}
        found = applied(configuration.modules["cisco_envmon"], answers(f"{CISCO}.13.1.3.1", row))
        assert found == {
            'chm_sensor_ok{sensor="1"}': 1,
            'chm_component_degraded{component="1",kind="sensor"}': 0,
        }

    def test_module_called_by_its_slot(self, configuration: Configuration) -> None:
        """A module that is named by nothing but a number is told by what it is, too."""
        names: dict[str, Value] = {f"{ENTITY}.7.1000": b"1", f"{ENTITY}.2.1000": b"WS-X6748-GE-TX"}
        names |= {f"{ENTITY}.7.2000": b"2", f"{ENTITY}.7.3000": b"module 3"}
        states = answers(f"{CISCO}.117.1.2.1.1", {"2": {"1000": 2, "2000": 2, "3000": 7}})
        found = applied(configuration.modules["cisco_module"], names | states)
        assert {key: value for key, value in found.items() if "degraded" not in key} == {
            'chm_module_up{module="WS-X6748-GE-TX 1"}': 1,
            'chm_module_up{module="Module 2000"}': 1,
            'chm_module_up{module="module 3"}': 0,
        }

    def test_yellow_temperature(self, configuration: Configuration) -> None:
        """A test point that is too warm says so, and at what temperature it shuts down."""
        row = {"3": {"1": 61}, "4": {"1": 66}, "6": {"1": 2}}
        assert applied(
            configuration.modules["cisco_envmon"], answers(f"{CISCO}.13.1.3.1", row)
        ) == {
            'chm_temperature_celsius{sensor="1"}': 61,
            'chm_temperature_limit_celsius{limit="high_critical",sensor="1"}': 66,
            'chm_sensor_ok{sensor="1"}': 1,
            'chm_component_degraded{component="1",kind="sensor"}': 1,
        }

    def test_line_card(self, configuration: Configuration) -> None:
        """A line card in the table of powered units is no power supply."""
        found = answers(f"{CISCO}.117.1.1.2.1", {"2": {"1": 8, "2": 8}})
        found |= answers(ENTITY, {CLASS: {"1": 9, "2": 6}})
        told = applied(configuration.modules["cisco_fru"], found)
        assert told == {
            'chm_power_supply_up{psu="2"}': 0,
            'chm_component_degraded{component="2",kind="psu"}': 0,
        }

    def test_fan_tray_with_a_warning(self, configuration: Configuration) -> None:
        """A fan tray with a warning still turns."""
        found = answers(f"{CISCO}.117.1.4.1.1", {"1": {"1": 4, "2": 1}})
        assert applied(configuration.modules["cisco_fru"], found) == {
            'chm_fan_up{fan="1"}': 1,
            'chm_component_degraded{component="1",kind="fan"}': 1,
        }

    def test_modules(self, configuration: Configuration) -> None:
        """A module that failed is down; one that someone took out of service is neither."""
        found = answers(f"{CISCO}.117.1.2.1.1", {"2": {"1": 2, "2": 7, "3": 13, "4": 19}})
        told = applied(configuration.modules["cisco_module"], found)
        assert {k: v for k, v in told.items() if "module_up" in k} == {
            'chm_module_up{module="Module 1"}': 1,
            'chm_module_up{module="Module 2"}': 0,
            'chm_module_up{module="Module 4"}': 1,
        }

    def test_stack(self, configuration: Configuration) -> None:
        """A place kept for a switch is no member; one with another version is down."""
        rows = {
            "1": {"1001": 1, "2001": 2, "3001": 3},
            "6": {"1001": 4, "2001": 6, "3001": 9},
        }
        found = answers(f"{CISCO}.500.1.2.1.1", rows)
        assert applied(configuration.modules["cisco_stack"], found) == {
            'chm_stack_member_up{member="1"}': 1,
            'chm_stack_member_up{member="2"}': 0,
        }

    def test_failover_that_is_off(self, configuration: Configuration) -> None:
        """A firewall without failover has no standby that could be down."""
        unit = f"{CISCO}.147.1.2.1.1.1"
        table = configuration.modules["cisco_failover"]
        off = answers(unit, {"3": {"6": 3, "7": 3}, "4": dict.fromkeys("67", b"Failover Off")})
        assert applied(table, off) == {}
        pair = answers(unit, {"3": {"6": 9, "7": 4}, "4": {"6": b"Active unit", "7": b"Failed"}})
        told = applied(table, pair)
        assert told['chm_stack_member_up{member="primary"}'] == 1
        assert told['chm_stack_member_up{member="secondary"}'] == 0


class TestSensor:
    @pytest.mark.parametrize(
        ("row", "family", "expected"),
        [
            (sensor(8, 9, 1, 346), "chm_temperature_celsius", 34.6),
            (sensor(5, 8, 1, 61), "chm_sensor_amperes", 0.0061),
            (sensor(14, 9, 1, -127), "chm_sensor_dbm", -12.7),
            (sensor(6, 9, 0, 24), "chm_sensor_watts", 24),
        ],
    )
    def test_units(
        self, configuration: Configuration, row: dict[str, Value], family: str, expected: float
    ) -> None:
        """Scale and precision put a reading into base units."""
        told = applied(configuration.modules["cisco_entity_sensor"], row)
        assert told[f'{family}{{sensor="Inlet"}}'] == pytest.approx(expected)

    @pytest.mark.parametrize(
        "row",
        [
            sensor(8, 9, 1615384784, 300),
            sensor(8, 9, 0, -127),
            sensor(8, 9, 0, 300, status=2),
            sensor(5, 9, 0, 1_000_000_000),
        ],
        ids=["precision", "no value", "unavailable", "overflow"],
    )
    def test_sentinels(self, configuration: Configuration, row: dict[str, Value]) -> None:
        """What Cisco puts where there is no reading is no reading."""
        told = applied(configuration.modules["cisco_entity_sensor"], row)
        assert set(told) <= {'chm_sensor_ok{sensor="Inlet"}'}

    def test_minor_and_major(self, configuration: Configuration) -> None:
        """Where there is no critical threshold it is the major one; its scale is the sensor's."""
        told = limits(configuration, (10, 4, 440), (20, 4, 700), (10, 2, -50), (20, 2, -100))
        assert told == {
            "high_warning": 44,
            "high_critical": 70,
            "low_warning": -5,
            "low_critical": -10,
        }

    def test_minor_major_and_critical(self, configuration: Configuration) -> None:
        """Of a major and a critical threshold the critical one is told."""
        told = limits(configuration, (10, 4, 440), (20, 4, 600), (30, 4, 700))
        assert told == {"high_warning": 44, "high_critical": 70}

    def test_range_of_other_severity(self, configuration: Configuration) -> None:
        """An ISR tells the range of good values with severity `other`."""
        told = limits(configuration, (1, 2, -20), (1, 4, 750), (30, 4, 800))
        assert told == {"low_warning": -2, "high_warning": 75, "high_critical": 80}

    def test_thresholds_that_contradict_each_other(self, configuration: Configuration) -> None:
        """A Nexus 5000 calls all four thresholds of a transceiver lower ones: none is believed."""
        assert limits(configuration, (20, 1, 750), (20, 1, 700), (20, 1, -50), (20, 1, 0)) == {}

    def test_broken_sensor(self, configuration: Configuration) -> None:
        """A sensor that does not work says so; one that is no part of the device says nothing."""
        row = sensor(8, 9, 0, 0, status=3)
        table = configuration.modules["cisco_entity_sensor"]
        assert applied(table, row) == {'chm_sensor_ok{sensor="Inlet"}': 0}
        del row[f"{ENTITY}.{NAME}.8"]
        assert applied(table, row) == {}

    def test_no_threshold(self, configuration: Configuration) -> None:
        """The lowest Integer16 is no threshold."""
        assert limits(configuration, (20, 4, -32768)) == {}


class TestBgp:
    def test_ipv6_and_prefixes(self, configuration: Configuration) -> None:
        """Sessions over IPv6 and wide AS numbers are told, and prefixes by address family."""
        peer = "2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1"
        row = {"3": 6, "4": 2, "11": 4200000001, "18": 3, "19": 77}
        found = answers(f"{CISCO}.187.1.2.5.1", {c: {peer: v} for c, v in row.items()})
        labels = 'peer="2001:db8::1",remote_as="4200000001"'
        assert applied(configuration.modules["cisco_bgp"], found) == {
            f"chm_bgp_session_up{{{labels}}}": 1,
            f"chm_bgp_session_enabled{{{labels}}}": 1,
            f"chm_bgp_session_age_seconds{{{labels}}}": 77,
            f"chm_bgp_session_transitions_total{{{labels}}}": 3,
        }
        found[f"{CISCO}.187.1.2.8.1.1.{peer}.2.1"] = 40_000
        assert applied(configuration.modules["cisco_bgp_prefixes"], found) == {
            f'chm_bgp_prefixes_accepted{{family="ipv6 unicast",{labels}}}': 40_000
        }
