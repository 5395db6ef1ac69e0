"""The traps of the MIBs of Extreme Networks, on EXOS, VOSS and SLX, and of Brocade."""

import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied

EXTREME = "1.3.6.1.4.1.1916.1"
CITY = "1.3.6.1.4.1.2272.1"
BROCADE = "1.3.6.1.4.1.1588.2.1.1.1"


@pytest.mark.parametrize("total", [54, b"54"])
def test_processor_as_text(configuration: Configuration, total: Value) -> None:
    """One device tells its load as a number, another as text."""
    answers: dict[str, Value] = {f"{EXTREME}.32.1.2.0": total, f"{EXTREME}.32.1.4.1.8.1": b"1.7"}
    assert applied(configuration.modules["extreme_cpu"], answers) == {
        'chm_cpu_utilization_ratio{cpu="Processor"}': 0.54,
        'chm_cpu_utilization_ratio{cpu="Slot 1"}': 0.017,
    }


def test_memory_as_text(configuration: Configuration) -> None:
    """Memory comes as text, in kilobytes, by slot."""
    column = f"{EXTREME}.32.2.2.1"
    answers: dict[str, Value] = {f"{column}.2.1": b"262144", f"{column}.3.1": b"116268"}
    assert applied(configuration.modules["extreme_memory"], answers) == {
        'chm_memory_used_bytes{pool="Slot 1"}': 145876 * 1024,
        'chm_memory_size_bytes{pool="Slot 1"}': 262144 * 1024,
    }


def test_fan_that_tells_only_its_speed(configuration: Configuration) -> None:
    """A fan without a state has a speed and no more."""
    answers: dict[str, Value] = {f"{EXTREME}.1.1.9.1.4.{fan}": 4500 for fan in (1, 2)}
    answers |= {f"{EXTREME}.1.1.9.1.2.1": 2}
    assert applied(configuration.modules["extreme_chassis"], answers) == {
        'chm_fan_up{fan="Fan 1"}': 0,
        'chm_fan_speed_rpm{fan="Fan 1"}': 4500,
        'chm_fan_speed_rpm{fan="Fan 2"}': 4500,
    }


def test_supplies(configuration: Configuration) -> None:
    """The table of supplies goes before the scalars; its watts have a multiplier of their own."""
    system = f"{EXTREME}.1.1"
    answers: dict[str, Value] = {f"{system}.10.0": 1, f"{system}.11.0": 3}
    table = configuration.modules["extreme_chassis"]
    assert applied(table, answers) == {
        'chm_power_supply_up{psu="Primary"}': 1,
        'chm_power_supply_up{psu="Redundant"}': 0,
    }
    for row, (state, power, multiplier) in enumerate(((2, 52550, -3), (4, 0, -3), (1, 0, 0)), 1):
        answers[f"{system}.27.1.2.{row}"] = state
        answers[f"{system}.27.1.9.{row}"] = power
        answers[f"{system}.27.1.11.{row}"] = multiplier
    assert applied(table, answers) == {
        'chm_power_supply_up{psu="Power supply 1"}': 1,
        'chm_power_supply_up{psu="Power supply 2"}': 0,
        'chm_sensor_watts{sensor="Power supply 1"}': 52.55,
    }


def test_over_temperature(configuration: Configuration) -> None:
    """Too hot by the word of the device is an alarm."""
    answers: dict[str, Value] = {f"{EXTREME}.1.1.7.0": 1, f"{EXTREME}.1.1.8.0": 72}
    assert applied(configuration.modules["extreme_chassis"], answers) == {
        'chm_temperature_celsius{sensor="Chassis"}': 72,
        'chm_alarm_active{alarm="over temperature"}': 1,
    }


def test_slots(configuration: Configuration) -> None:
    """An empty slot is nothing; a member that does not match its stack does not work."""
    slot, member = f"{EXTREME}.1.2.2.1.5", f"{EXTREME}.33.2.1.3"
    answers: dict[str, Value] = {f"{slot}.1": 5, f"{slot}.2": 1, f"{slot}.3": 4}
    answers |= {f"{member}.1": 1, f"{member}.2": 3}
    found = applied(configuration.modules["extreme_slots"], answers)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_module_up{module="Slot 1"}': 1,
        'chm_module_up{module="Slot 3"}': 0,
        'chm_stack_member_up{member="1"}': 1,
        'chm_stack_member_up{member="2"}': 0,
    }


def test_voss_temperature(configuration: Configuration) -> None:
    """VOSS tells the limits of its sensors and whether they are kept."""
    column = f"{CITY}.101.1.1.2.1"
    answers: dict[str, Value] = {f"{column}.2.1": b"CPU"}
    answers |= {
        f"{column}.{field}.1": value for field, value in ((3, 81), (4, 80), (5, 90), (6, 2))
    }
    assert applied(configuration.modules["voss_temperature"], answers) == {
        'chm_temperature_celsius{sensor="CPU"}': 81,
        'chm_temperature_limit_celsius{limit="high_warning",sensor="CPU"}': 80,
        'chm_temperature_limit_celsius{limit="high_critical",sensor="CPU"}': 90,
        'chm_sensor_ok{sensor="CPU"}': 1,
        'chm_component_degraded{component="CPU",kind="sensor"}': 1,
    }


def test_voss_performance(configuration: Configuration) -> None:
    """VOSS tells memory in use and free in kilobytes, and the load of five minutes."""
    column = f"{CITY}.85.10.1.1"
    answers: dict[str, Value] = {f"{column}.3.1": 12, f"{column}.6.1": 300, f"{column}.7.1": 100}
    assert applied(configuration.modules["voss_performance"], answers) == {
        'chm_cpu_utilization_ratio{cpu="Slot 1"}': 0.12,
        'chm_memory_used_bytes{pool="Slot 1"}': 300 * 1024,
        'chm_memory_size_bytes{pool="Slot 1"}': 400 * 1024,
    }


def test_voss_empty_bay(configuration: Configuration) -> None:
    """Fans and supplies number their states differently, and an empty bay is nothing."""
    fan, supply = f"{CITY}.4.7.1.1.2", f"{CITY}.4.8.1.1.2"
    answers: dict[str, Value] = {f"{fan}.1": 2, f"{fan}.2": 3}
    answers |= {f"{supply}.1": 3, f"{supply}.2": 2, f"{supply}.3": 4}
    answers |= {f"{CITY}.4.8.2.1.10.1": 110, f"{CITY}.4.8.2.1.10.3": 0}
    assert applied(configuration.modules["voss_chassis"], answers) == {
        'chm_fan_up{fan="Fan 1"}': 1,
        'chm_fan_up{fan="Fan 2"}': 0,
        'chm_power_supply_up{psu="Power supply 1"}': 1,
        'chm_power_supply_up{psu="Power supply 3"}': 0,
        'chm_sensor_watts{sensor="Power supply 1"}': 110,
    }


def test_absent_sensor(configuration: Configuration) -> None:
    """An absent sensor of SW-MIB reads the least number there is, which is no value."""
    column = f"{BROCADE}.1.22.1"
    answers: dict[str, Value] = {}
    for row, kind, state, value in (
        (1, 1, 4, 41),
        (2, 1, 6, -(2**31)),
        (3, 2, 3, 900),
        (4, 3, 2, 0),
        (5, 3, 6, -(2**31)),
    ):
        answers |= {
            f"{column}.2.{row}": kind,
            f"{column}.3.{row}": state,
            f"{column}.4.{row}": value,
        }
    found = applied(configuration.modules["brocade_sensor"], answers)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_temperature_celsius{sensor="1"}': 41,
        'chm_sensor_ok{sensor="1"}': 1,
        'chm_fan_up{fan="3"}': 1,
        'chm_fan_speed_rpm{fan="3"}': 900,
        'chm_power_supply_up{psu="4"}': 0,
    }
    assert found['chm_component_degraded{component="3",kind="fan"}'] == 1


def test_load_of_a_fabric_switch(configuration: Configuration) -> None:
    """SW-MIB tells processor and memory in percent, and less than 0 where it cannot."""
    cpu, memory = f"{BROCADE}.26.1.0", f"{BROCADE}.26.6.0"
    assert applied(configuration.modules["brocade_performance"], {cpu: 7, memory: -1}) == {
        'chm_cpu_utilization_ratio{cpu="Processor"}': 0.07
    }


@pytest.mark.parametrize(
    ("sys_object_id", "descr", "expected"),
    [
        (
            "1.3.6.1.4.1.1916.2.175",
            "ExtremeXOS (X440-24p) version 15.5.1.6 v1551b6 by release-manager",
            ("extreme_xos", "X440-24p", "15.5.1.6"),
        ),
        (
            "1.3.6.1.4.1.1916.2.400",
            "Extreme Switch Engine (5520-24W-SwitchEngine) version 32.1.1.6",
            ("extreme_xos", "5520-24W-SwitchEngine", "32.1.1.6"),
        ),
        (
            "1.3.6.1.4.1.1916.2.401",
            "5520-24W-FabricEngine (8.10.1.0)",
            ("extreme_voss", "5520-24W-FabricEngine", "8.10.1.0"),
        ),
        (
            "1.3.6.1.4.1.2272.209",
            "VSP-8284XSQ (8.1.0.0)",
            ("extreme_voss", "VSP-8284XSQ", "8.1.0.0"),
        ),
        (
            "1.3.6.1.4.1.1916.2.332",
            "Extreme BR-SLX9850-4 Router, SLX Operating System Version 18r.1.00b",
            ("extreme_slx", "SLX9850", "18r.1.00b"),
        ),
        (
            "1.3.6.1.4.1.1588.2.2.1.1.1.8",
            "Extreme Networks BR-SLX9540, SLX Operating System Version 20.2.3, Extreme Switch",
            ("extreme_slx", "SLX9540", "20.2.3"),
        ),
    ],
)
def test_identity(
    configuration: Configuration, sys_object_id: str, descr: str, expected: tuple[str, str, str]
) -> None:
    """Three systems share one number and are told apart by what they say of themselves."""
    profile = identify.profile(configuration.profiles, sys_object_id, descr)
    facts = identify.facts(configuration.profiles[profile], {identify.SYS_DESCR: descr.encode()})
    assert (profile, facts["model"], facts["os_version"]) == expected


def test_model_of_a_stack(configuration: Configuration) -> None:
    """A stack calls itself just that; its first chassis has a model."""
    entity, member = "1.3.6.1.2.1.47.1.1.1.1", "101"
    told: dict[str, Value] = {
        identify.SYS_DESCR: b"ExtremeXOS (Stack) version 22.5.1.7 v2251b7 by release-manager",
        f"{entity}.5.{member}": 3,
        f"{entity}.13.{member}": b"X460-G2-24p-10G4",
        f"{entity}.11.{member}": b"1234N-40001",
    }
    facts = identify.facts(configuration.profiles["extreme_xos"], told)
    assert (facts["model"], facts["serial"]) == ("X460-G2-24p-10G4", "1234N-40001")
