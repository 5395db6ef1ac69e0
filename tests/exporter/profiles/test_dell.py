"""The traps of Dell's MIBs, on OS10, OS9 and the N series."""

import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied

OS10 = "1.3.6.1.4.1.674.11000.5000.100.4.1"
OS9 = "1.3.6.1.4.1.6027.3"
FASTPATH = "1.3.6.1.4.1.674.10895.5000.2.6132.1.1"
RADLAN = "1.3.6.1.4.1.89.1"


def test_percentages_in_a_sentence(configuration: Configuration) -> None:
    """Of the three averages in one text the one of a minute is taken."""
    sentence = b"5 Secs ( 21.4484%)   60 Secs ( 21.6921%)  300 Secs ( 15.238%)"
    table = configuration.modules["dell_n_processor"]
    for column in (4, 9):
        assert applied(table, {f"{FASTPATH}.1.1.4.{column}.0": sentence}) == {
            'chm_cpu_utilization_ratio{cpu="Processor"}': 0.216921
        }


def test_memory_of_n_series(configuration: Configuration) -> None:
    """The object called available is how much memory there is, in kilobytes."""
    answers: dict[str, Value] = {f"{FASTPATH}.1.1.4.1.0": 300, f"{FASTPATH}.1.1.4.2.0": 1000}
    assert applied(configuration.modules["dell_n_processor"], answers) == {
        'chm_memory_used_bytes{pool="System memory"}': 700 * 1024,
        'chm_memory_size_bytes{pool="System memory"}': 1000 * 1024,
    }


def test_processor_that_is_not_measured(configuration: Configuration) -> None:
    """101 percent means that a PowerConnect does not measure."""
    table = configuration.modules["dell_n_processor"]
    assert applied(table, {f"{RADLAN}.7.0": 101, f"{RADLAN}.8.0": 101}) == {}
    assert applied(table, {f"{RADLAN}.7.0": 12}) == {
        'chm_cpu_utilization_ratio{cpu="Processor"}': 0.12
    }


def test_columns_differ_by_firmware(configuration: Configuration) -> None:
    """A column that is a temperature in one firmware is a state in another, and is read as such."""
    box = f"{FASTPATH}.43.1"
    table = configuration.modules["dell_n_chassis"]
    old: dict[str, Value] = {f"{box}.6.1.3.1": 2, f"{box}.6.1.4.1": 4200, f"{box}.6.1.5.1": 60}
    old |= {f"{box}.7.1.3.1": 3, f"{box}.8.1.3.1": 1, f"{box}.8.1.4.1": 41}
    found = applied(table, old)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_fan_up{fan="Fan 1"}': 1,
        'chm_fan_speed_rpm{fan="Fan 1"}': 4200,
        'chm_power_supply_up{psu="Power supply 1"}': 0,
        'chm_temperature_celsius{sensor="Sensor 1"}': 41,
        'chm_sensor_ok{sensor="Sensor 1"}': 1,
    }
    new: dict[str, Value] = {f"{box}.6.1.3.1.0": 3, f"{box}.6.1.4.1.0": 0, f"{box}.6.1.6.1.0": 1}
    new |= {
        f"{box}.7.1.3.1.0": 2,
        f"{box}.7.1.4.1.0": 1,
        f"{box}.7.1.3.1.1": 1,
        f"{box}.7.1.4.1.1": 1,
    }
    new |= {f"{box}.8.1.3.1.0": 1, f"{box}.8.1.4.1.0": 2, f"{box}.8.1.5.1.0": 73}
    new |= {f"{box}.8.1.3.1.1": 1, f"{box}.8.1.4.1.1": 5, f"{box}.8.1.5.1.1": 0}
    new |= {f"{box}.15.1.2.1": 2}
    found = applied(table, new)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_fan_up{fan="Unit 1 fan 0"}': 0,
        'chm_power_supply_up{psu="Unit 1 power supply 0"}': 1,
        'chm_temperature_celsius{sensor="Unit 1 sensor 0"}': 73,
        'chm_sensor_ok{sensor="Unit 1"}': 1,
        'chm_sensor_ok{sensor="Unit 1 sensor 0"}': 1,
    }
    assert found['chm_component_degraded{component="Unit 1 sensor 0",kind="sensor"}'] == 1


def test_unit_that_does_not_match(configuration: Configuration) -> None:
    """A unit of a stack works only where its status is ok."""
    status = f"{FASTPATH}.13.2.2.1.11"
    assert applied(configuration.modules["dell_n_stack"], {f"{status}.1": 1, f"{status}.2": 3}) == {
        'chm_stack_member_up{member="1"}': 1,
        'chm_stack_member_up{member="2"}': 0,
    }


def test_powerconnect_parts(configuration: Configuration) -> None:
    """A PowerConnect has a table of its own for fans and supplies; not present is nothing."""
    monitor = "1.3.6.1.4.1.674.10895.3000.1.2.110.7"
    answers: dict[str, Value] = {f"{monitor}.1.1.2.1": b"fan1", f"{monitor}.1.1.3.1": 3}
    answers |= {f"{monitor}.2.1.2.1": b"ps1", f"{monitor}.2.1.3.1": 1, f"{monitor}.2.1.3.2": 5}
    answers |= {"1.3.6.1.4.1.89.53.15.1.9.1": 45, "1.3.6.1.4.1.89.53.15.1.9.2": 0}
    found = applied(configuration.modules["dell_n_envmon"], answers)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_fan_up{fan="fan1"}': 0,
        'chm_power_supply_up{psu="ps1"}': 1,
        'chm_temperature_celsius{sensor="Unit 1"}': 45,
    }


def test_os10_parts(configuration: Configuration) -> None:
    """A part that is not present or unknown has no sample, and one that failed is down."""
    supply, tray, fan = f"{OS10}.2.1.1.4", f"{OS10}.2.2.1.4", f"{OS10}.2.3.1.7"
    answers: dict[str, Value] = {f"{OS10}.1.3.1.11.1": 37, f"{OS10}.1.4.1.4.1.1": 3}
    answers |= {f"{OS10}.1.4.1.5.1.1": 0, f"{supply}.1": 1, f"{supply}.2": 6, f"{tray}.1": 8}
    answers |= {f"{fan}.1": 2, f"{fan}.2": 4}
    found = applied(configuration.modules["dell_os10_chassis"], answers)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_temperature_celsius{sensor="Chassis 1"}': 37,
        'chm_module_up{module="Card 1 1"}': 0,
        'chm_power_supply_up{psu="Power supply 1"}': 1,
        'chm_fan_up{fan="Fan tray 1"}': 0,
        'chm_fan_up{fan="Fan 1"}': 0,
    }


def test_os9_memory(configuration: Configuration) -> None:
    """Memory is a size in MB in one table and a share in another, or only the share."""
    size, usage = f"{OS9}.26.1.4.3.1.6", f"{OS9}.26.1.4.4.1.6"
    table = configuration.modules["dell_os9_processor"]
    assert applied(table, {f"{size}.2.1.1": 2048, f"{usage}.2.1.1": 25}) == {
        'chm_memory_used_bytes{pool="stack 1 CPU 1"}': 2**29,
        'chm_memory_size_bytes{pool="stack 1 CPU 1"}': 2**31,
    }
    assert applied(table, {f"{usage}.2.1.1": 25}) == {
        'chm_memory_utilization_ratio{pool="stack 1 CPU 1"}': 0.25
    }


def test_os9_processor(configuration: Configuration) -> None:
    """The load of a minute is read, from the MIB of the S series where there is no newer one."""
    older: dict[str, Value] = {f"{OS9}.10.1.2.9.1.3.1": 8}
    table = configuration.modules["dell_os9_processor"]
    assert applied(table, older) == {'chm_cpu_utilization_ratio{cpu="stack 1"}': 0.08}
    assert applied(table, {**older, f"{OS9}.26.1.4.4.1.4.2.1.1": 12}) == {
        'chm_cpu_utilization_ratio{cpu="stack 1 CPU 1"}': 0.12
    }


def test_os9_unit_that_is_only_configured(configuration: Configuration) -> None:
    """A unit that was never there is no broken member, and has no temperature."""
    status, heat = f"{OS9}.26.1.3.4.1.8", f"{OS9}.26.1.3.4.1.13"
    answers: dict[str, Value] = {f"{status}.1": 1, f"{status}.2": 6, f"{status}.3": 5}
    answers |= {f"{heat}.1": 44, f"{heat}.2": 0, f"{heat}.3": 0}
    answers |= {f"{OS9}.26.1.4.6.1.4.2.1.1": 1, f"{OS9}.26.1.4.6.1.4.2.1.2": 3}
    answers |= {f"{OS9}.26.1.4.7.1.4.2.1.1": 2}
    assert applied(configuration.modules["dell_os9_chassis"], answers) == {
        'chm_stack_member_up{member="1"}': 1,
        'chm_stack_member_up{member="3"}': 0,
        'chm_temperature_celsius{sensor="Unit 1"}': 44,
        'chm_power_supply_up{psu="stack 1 power supply 1"}': 1,
        'chm_fan_up{fan="stack 1 fan tray 1"}': 0,
    }


def test_os9_optics(configuration: Configuration) -> None:
    """Optical readings are texts, and 0 is no data."""
    column = f"{OS9}.11.1.3.1.1"
    answers: dict[str, Value] = {"1.3.6.1.2.1.31.1.1.1.1.9": b"TenGigabitEthernet 0/1"}
    answers |= {f"{column}.8.9": b"-2.35", f"{column}.12.9": b"0.0", f"{column}.16.9": b"33.5"}
    assert applied(configuration.modules["dell_os9_optics"], answers) == {
        'chm_sensor_dbm{sensor="TenGigabitEthernet 0/1 lane 1 tx"}': -2.35,
        'chm_temperature_celsius{sensor="TenGigabitEthernet 0/1 transceiver"}': 33.5,
    }


@pytest.mark.parametrize(
    ("sys_object_id", "descr", "expected"),
    [
        (
            "1.3.6.1.4.1.674.11000.5000.100.2.1.7",
            "Dell EMC Networking OS10 Enterprise.\r\nOS Version: 10.5.1.\r\nSystem Type: S4128F-ON",
            ("dell_os10", "S4128F-ON", "10.5.1"),
        ),
        (
            "1.3.6.1.4.1.674.10895.3064",
            "Dell EMC Networking N1524P, 6.6.0.13, Linux 3.6.5, Not Available",
            ("dell_n_series", "Dell EMC Networking N1524P", "6.6.0.13"),
        ),
        (
            "1.3.6.1.4.1.6027.1.3.20",
            "Dell Networking OS\nSeries: S4810\nSoftware Version: 9.14(2.4)\n",
            ("dell_os9", "S4810", "9.14(2.4)"),
        ),
    ],
)
def test_identity(
    configuration: Configuration, sys_object_id: str, descr: str, expected: tuple[str, str, str]
) -> None:
    """What a device says of itself over several lines holds its model and version."""
    profile = identify.profile(configuration.profiles, sys_object_id, descr)
    facts = identify.facts(configuration.profiles[profile], {identify.SYS_DESCR: descr.encode()})
    assert (profile, facts["model"], facts["os_version"]) == expected


def test_os10_sessions(configuration: Configuration) -> None:
    """A session is told with its AS, how often it was established and what it brought."""
    table, peer = "1.3.6.1.4.1.674.11000.5000.200.1.1", "1.1.4.169.254.247.1"
    answers: dict[str, Value] = {f"{table}.2.1.10.{peer}": 64513, f"{table}.2.1.12.{peer}": 1}
    answers |= {
        f"{table}.2.1.13.{peer}": 6,
        f"{table}.7.1.5.{peer}": 7,
        f"{table}.8.1.4.{peer}.1.1": 27,
    }
    labels = 'peer="169.254.247.1",remote_as="64513"'
    assert applied(configuration.modules["dell_bgp"], answers) == {
        f"chm_bgp_session_up{{{labels}}}": 1,
        f"chm_bgp_session_transitions_total{{{labels}}}": 7,
        f'chm_bgp_prefixes_accepted{{family="ipv4 unicast",{labels}}}': 27,
    }


class TestOldForce10:
    """FTOS 8: what newer firmware tells for all series stands in tables of each."""

    def test_stack(self, configuration: Configuration) -> None:
        """A unit that is only configured is neither there nor lost, and has no temperature."""
        units = f"{OS9}.10.1.2.2.1"
        told: dict[str, Value] = {f"{units}.8.1": 1, f"{units}.8.2": 5, f"{units}.8.3": 6}
        told |= {f"{units}.14.1": 59, f"{units}.14.2": 0, f"{units}.14.3": 0}
        found = applied(configuration.modules["dell_os9_chassis"], told)
        assert found == {
            'chm_stack_member_up{member="1"}': 1,
            'chm_stack_member_up{member="2"}': 0,
            'chm_temperature_celsius{sensor="Unit 1"}': 59,
        }

    @pytest.mark.parametrize(
        ("table", "columns", "name"),
        [
            ("10.1.2.9", (3, 5), "stack 1"),
            ("19.1.2.8", (3, 5), "stack 1"),
            ("8.1.3.7", (4, 6), "rpm 1"),
        ],
        ids=["S series", "M series", "C series"],
    )
    def test_processor(
        self, configuration: Configuration, table: str, columns: tuple[int, int], name: str
    ) -> None:
        """The minute's average and the memory in percent, wherever the series has them."""
        cpu, memory = columns
        given: dict[str, Value] = {
            f"{OS9}.{table}.1.{cpu}.1": 12,
            f"{OS9}.{table}.1.{memory}.1": 34,
        }
        assert applied(configuration.modules["dell_os9_processor"], given) == {
            f'chm_cpu_utilization_ratio{{cpu="{name}"}}': 0.12,
            f'chm_memory_utilization_ratio{{pool="{name}"}}': 0.34,
        }

    def test_facts(self, configuration: Configuration) -> None:
        """Version and serial number come from the first unit, where no service tag is known."""
        unit = f"{OS9}.10.1.2.2.1"
        profile = configuration.profiles["dell_os9"]
        told: dict[str, Value] = {f"{unit}.7.1": b"S50-01-GE-48T-AC", f"{unit}.10.1": b"8.4.2.7"}
        told |= {f"{unit}.12.1": b"DL1234  ", f"{unit}.33.1": b""}
        assert identify.facts(profile, told) == {
            "vendor": "Dell",
            "model": "S50-01-GE-48T-AC",
            "os_version": "8.4.2.7",
            "sys_name": "",
            "serial": "DL1234",
        }
