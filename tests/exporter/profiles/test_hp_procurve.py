"""The traps of ProCurve's MIBs."""

import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied

SWITCH = "1.3.6.1.4.1.11.2.14.11.5.1"
CHASSIS = "1.3.6.1.4.1.11.2.14.11.1.2"
KIND = "1.3.6.1.4.1.11.2.3.7.8.3"


def test_memory_above_limit(configuration: Configuration) -> None:
    """More memory than Integer32 holds comes as a negative number and is read as unsigned."""
    table = f"{SWITCH}.1.2.1.1.1"
    answers: dict[str, Value] = {f"{table}.5.1": -(2**31), f"{table}.7.1": 1000}
    assert applied(configuration.modules["hp_memory"], answers) == {
        'chm_memory_used_bytes{pool="Slot 1"}': 1000,
        'chm_memory_size_bytes{pool="Slot 1"}': 2**31,
    }


def test_absent_parts(configuration: Configuration) -> None:
    """What was removed is neither up nor down, and what gives no power tells no watts."""
    fan, supply = f"{SWITCH}.54.2.1.1.4", f"{SWITCH}.55.1.1.1"
    answers: dict[str, Value] = {f"{fan}.1": 5, f"{fan}.2": 1, f"{fan}.3": 0, f"{fan}.4": 3}
    answers |= {f"{supply}.2.1": 3, f"{supply}.4.1": 27, f"{supply}.6.1": 48, f"{supply}.7.1": 1100}
    answers |= {f"{supply}.2.2": 2, f"{supply}.4.2": 0, f"{supply}.6.2": 0, f"{supply}.7.2": 0}
    answers |= {f"{supply}.2.3": 1}
    assert applied(configuration.modules["hp_fan_and_power"], answers) == {
        'chm_fan_up{fan="Fan 1"}': 1,
        'chm_fan_up{fan="Fan 3"}': 0,
        'chm_fan_up{fan="Fan 4"}': 1,
        'chm_component_degraded{component="Fan 1",kind="fan"}': 0,
        'chm_component_degraded{component="Fan 3",kind="fan"}': 0,
        'chm_component_degraded{component="Fan 4",kind="fan"}': 1,
        'chm_power_supply_up{psu="Power supply 1"}': 1,
        'chm_power_supply_up{psu="Power supply 2"}': 0,
        'chm_temperature_celsius{sensor="Power supply 1"}': 27,
        'chm_sensor_watts{sensor="Power supply 1"}': 48,
        'chm_sensor_limit_watts{limit="high_critical",sensor="Power supply 1"}': 1100,
    }


def test_sensors_of_older_switches(configuration: Configuration) -> None:
    """One table holds fans, supplies and sensors, told apart by an object identifier."""
    answers: dict[str, Value] = {}
    for row, kind, state, name in (
        (1, 2, 4, b"Fan"),
        (2, 1, 2, b"PSU"),
        (3, 3, 3, b"Heat"),
        (4, 3, 5, b"None"),
    ):
        answers |= {
            f"{CHASSIS}.6.1.2.{row}": f"{KIND}.{kind}",
            f"{CHASSIS}.6.1.4.{row}": state,
            f"{CHASSIS}.6.1.7.{row}": name,
        }
    table = configuration.modules["hp_chassis"]
    found = applied(table, answers)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_fan_up{fan="Fan"}': 1,
        'chm_power_supply_up{psu="PSU"}': 0,
        'chm_sensor_ok{sensor="Heat"}': 1,
    }
    assert found['chm_component_degraded{component="Heat",kind="sensor"}'] == 1
    newer = applied(table, answers, "chm_fan_up", "chm_power_supply_up")
    assert 'chm_sensor_ok{sensor="Heat"}' in newer
    assert 'chm_fan_up{fan="Fan"}' not in newer


def test_temperature_as_text(configuration: Configuration) -> None:
    """Degrees come as text with their unit; Fahrenheit gives no sample rather than a wrong one."""
    column = f"{CHASSIS}.8.1.1"
    answers: dict[str, Value] = {
        f"{column}.2.0": b"Sys-1",
        f"{column}.3.0": b"23C",
        f"{column}.6.0": 2,
        f"{column}.7.0": b"57C",
        f"{column}.3.1": b"73F",
    }
    assert applied(configuration.modules["hp_air"], answers) == {
        'chm_temperature_celsius{sensor="Sys-1"}': 23,
        'chm_temperature_limit_celsius{limit="high_critical",sensor="Sys-1"}': 57,
        'chm_alarm_active{alarm="over temperature Sys-1"}': 0,
    }


def test_missing_member(configuration: Configuration) -> None:
    """A member that left the stack is down; one that is only provisioned was never there."""
    for state in (f"{SWITCH}.69.1.3.1.9", f"{SWITCH}.116.1.3.1.9"):
        answers: dict[str, Value] = {f"{state}.1": 3, f"{state}.2": 1, f"{state}.3": 2}
        assert applied(configuration.modules["hp_stack"], answers) == {
            'chm_stack_member_up{member="1"}': 1,
            'chm_stack_member_up{member="2"}': 0,
        }


def test_members_of_a_virtual_chassis(configuration: Configuration) -> None:
    """The commander's load is that of the switch; each other member tells its own."""
    member = f"{SWITCH}.116.1.3.1"
    answers: dict[str, Value] = {f"{member}.9.1": 3, f"{member}.9.2": 4, f"{member}.9.3": 1}
    for row in (1, 2, 3):
        answers |= {f"{member}.19.{row}": 15, f"{member}.20.{row}": 400, f"{member}.21.{row}": 100}
    found = applied(configuration.modules["hp_stack"], answers)
    assert {key: value for key, value in found.items() if "stack" not in key} == {
        'chm_cpu_utilization_ratio{cpu="Member 2"}': 0.15,
        'chm_memory_used_bytes{pool="Member 2"}': 300,
        'chm_memory_size_bytes{pool="Member 2"}': 400,
    }


def test_dark_transceiver(configuration: Configuration) -> None:
    """No light is no sample; limits are in units of power, readings in decibels."""
    column = f"{SWITCH}.82.1.1.1.1"
    answers: dict[str, Value] = {f"{column}.2.49": b"49", f"{column}.2.50": b"50"}
    answers |= {f"{column}.11.49": 45398, f"{column}.12.49": 32970, f"{column}.13.49": 8850}
    answers |= {f"{column}.14.49": -6020, f"{column}.15.49": -99999999, f"{column}.34.49": 10000}
    answers |= {f"{column}.{field}.50": 0 for field in (11, 12, 13, 14, 15, 18, 30, 34)}
    assert applied(configuration.modules["hp_transceiver"], answers) == {
        'chm_temperature_celsius{sensor="49 transceiver"}': 45.398,
        'chm_sensor_volts{sensor="49 transceiver"}': 3.297,
        'chm_sensor_amperes{sensor="49 tx bias"}': 0.00885,
        'chm_sensor_dbm{sensor="49 tx"}': -6.02,
        'chm_sensor_limit_dbm{limit="high_critical",sensor="49 rx"}': 0,
    }


def test_power_over_ethernet(configuration: Configuration) -> None:
    """Without a budget there is no power over Ethernet; the standard MIB goes first."""
    column = "1.3.6.1.4.1.11.2.14.11.1.9.1.6.1"
    answers: dict[str, Value] = {f"{column}.4.1001": 1440, f"{column}.5.1001": 96}
    answers |= {f"{column}.4.1002": 0, f"{column}.5.1002": 0}
    table = configuration.modules["hp_poe"]
    assert applied(table, answers) == {
        'chm_poe_budget_watts{pse="1001"}': 1440,
        'chm_poe_used_watts{pse="1001"}': 96,
    }
    assert applied(table, answers, "chm_poe_budget_watts", "chm_poe_used_watts") == {}


@pytest.mark.parametrize(
    ("described", "model"),
    [
        (b"HP J9729A 2920-48G-POE+ Switch, revision WB.15.12.0006", "J9729A 2920-48G-POE+"),
        (b"HP Stack, revision KB.16.11.0020", "J9850A Switch 5406Rzl2"),
    ],
)
def test_model_of_a_stack(configuration: Configuration, described: bytes, model: str) -> None:
    """A stack calls itself just that; its first chassis has a model."""
    told: dict[str, Value] = {identify.SYS_DESCR: described}
    told |= {"1.3.6.1.2.1.47.1.1.1.1.2.1": b"HP J9850A Switch 5406Rzl2"}
    assert identify.facts(configuration.profiles["hp_procurve"], told)["model"] == model
