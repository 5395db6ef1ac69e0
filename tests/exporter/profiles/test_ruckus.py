"""The traps of Foundry's MIBs, on FastIron and NetIron."""

import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied

AGENT = "1.3.6.1.4.1.1991.1.1.2"
CHASSIS = "1.3.6.1.4.1.1991.1.1.1"
SWITCH = "1.3.6.1.4.1.1991.1.1.3"


def test_half_degrees(configuration: Configuration) -> None:
    """Temperatures and their limits are in half degrees; a sensor is told once."""
    name = b"Management module: CPU temperature"
    answers: dict[str, Value] = {f"{AGENT}.13.3.1.4.1.1.1": name, f"{AGENT}.13.3.1.5.1.1.1": 98}
    answers |= {f"{AGENT}.13.1.1.3.1.1": name, f"{AGENT}.13.1.1.4.1.1": 98}
    answers |= {
        f"{CHASSIS}.4.1.1.{field}.1": value for field, value in ((4, 96), (5, 156), (6, 176))
    }
    answers |= {
        f"{CHASSIS}.1.1.{field}.0": value for field, value in ((18, 96), (19, 156), (20, 176))
    }
    assert applied(configuration.modules["foundry_temperature"], answers) == {
        'chm_temperature_celsius{sensor="Unit 1 Management module: CPU"}': 49,
        'chm_temperature_celsius{sensor="Unit 1"}': 48,
        'chm_temperature_limit_celsius{limit="high_warning",sensor="Unit 1"}': 78,
        'chm_temperature_limit_celsius{limit="high_critical",sensor="Unit 1"}': 88,
    }


def test_half_degrees_of_a_chassis(configuration: Configuration) -> None:
    """A device that is no stack has its sensors in the older table."""
    answers: dict[str, Value] = {
        f"{AGENT}.13.1.1.3.5.1": b"Line module 5",
        f"{AGENT}.13.1.1.4.5.1": 81,
    }
    answers |= {f"{CHASSIS}.1.1.18.0": 90, f"{CHASSIS}.1.1.20.0": 170}
    assert applied(configuration.modules["foundry_temperature"], answers) == {
        'chm_temperature_celsius{sensor="Line module 5"}': 40.5,
        'chm_temperature_celsius{sensor="Chassis"}': 45,
        'chm_temperature_limit_celsius{limit="high_critical",sensor="Chassis"}': 85,
    }


def test_percent_or_hundredths(configuration: Configuration) -> None:
    """Of the intervals the one of five minutes is taken, in hundredths of a percent."""
    answers: dict[str, Value] = {f"{AGENT}.1.52.0": 9}
    for interval, percent in ((1, 51), (60, 30), (300, 20)):
        answers |= {f"{AGENT}.11.1.1.5.1.1.{interval}": percent}
        answers |= {f"{AGENT}.11.1.1.6.1.1.{interval}": percent * 100 + 50}
    table = configuration.modules["foundry_cpu"]
    slot = 'chm_cpu_utilization_ratio{cpu="Slot 1 CPU 1"}'
    assert applied(table, answers) == {slot: 0.205}
    whole = {key: value for key, value in answers.items() if f"{AGENT}.11.1.1.6" not in key}
    assert applied(table, whole) == {slot: 0.2}
    old = {f"{AGENT}.1.52.0": answers[f"{AGENT}.1.52.0"]}
    assert applied(table, old) == {'chm_cpu_utilization_ratio{cpu="Processor"}': 0.09}


@pytest.mark.parametrize(
    ("answers", "pool"),
    [
        ({f"{AGENT}.2.1.1.24.1": 1000, f"{AGENT}.2.1.1.25.1": 400}, "1"),
        ({f"{AGENT}.12.4.2.0": 1000, f"{AGENT}.12.4.3.0": 400}, "System memory"),
        ({f"{AGENT}.1.54.0": 1000, f"{AGENT}.1.55.0": 400}, "Dynamic memory"),
    ],
)
def test_memory(configuration: Configuration, answers: dict[str, Value], pool: str) -> None:
    """Boards come first, then the system's memory, then the heap."""
    heap: dict[str, Value] = {
        f"{AGENT}.1.53.0": 60,
        f"{AGENT}.1.54.0": 1000,
        f"{AGENT}.1.55.0": 400,
    }
    found = applied(configuration.modules["foundry_memory"], heap | answers)
    assert found == {
        f'chm_memory_used_bytes{{pool="{pool}"}}': 600,
        f'chm_memory_size_bytes{{pool="{pool}"}}': 1000,
    }


def test_memory_only_in_percent(configuration: Configuration) -> None:
    """An agent that tells nothing but a share of the heap has a ratio."""
    assert applied(configuration.modules["foundry_memory"], {f"{AGENT}.1.53.0": 59}) == {
        'chm_memory_utilization_ratio{pool="Dynamic memory"}': 0.59
    }


def test_other_is_absent(configuration: Configuration) -> None:
    """A supply or fan that is `other` is not there; a stack's table goes before the older one."""
    answers: dict[str, Value] = {f"{CHASSIS}.2.1.1.3.{row}": row for row in (1, 2, 3)}
    answers |= {f"{CHASSIS}.3.1.1.3.1": 3, f"{CHASSIS}.3.1.1.2.1": b"Fan 1 (left) failed, speed 1"}
    table = configuration.modules["foundry_chassis"]
    assert applied(table, answers) == {
        'chm_power_supply_up{psu="Power supply 2"}': 1,
        'chm_power_supply_up{psu="Power supply 3"}': 0,
        'chm_fan_up{fan="Fan 1"}': 0,
    }
    answers |= {f"{CHASSIS}.2.2.1.4.2.1": 2, f"{CHASSIS}.3.2.1.4.2.1": 1}
    assert applied(table, answers)['chm_power_supply_up{psu="Unit 2 power supply 1"}'] == 1


def test_stack(configuration: Configuration) -> None:
    """A reserved unit has left the stack; a device that does not stack has no members."""
    unit = f"{SWITCH}.31.2.2.1"
    answers: dict[str, Value] = {f"{unit}.5.1": 1, f"{unit}.5.2": 2, f"{unit}.5.3": 3}
    answers |= {f"{unit}.8.1": 3, f"{unit}.8.2": 1, f"{unit}.10.1": 2}
    table = configuration.modules["foundry_stack"]
    assert applied(table, {**answers, f"{SWITCH}.31.1.1.0": 1}) == {
        'chm_stack_member_up{member="1"}': 1,
        'chm_stack_member_up{member="2"}': 1,
        'chm_stack_member_up{member="3"}': 0,
        'chm_alarm_active{alarm="unit 1 stack port 1 down"}': 1,
        'chm_alarm_active{alarm="unit 1 stack port 2 down"}': 0,
    }
    assert applied(table, {**answers, f"{SWITCH}.31.1.1.0": 0}) == {}


def test_milliwatts(configuration: Configuration) -> None:
    """Power over Ethernet is told in milliwatts, and as what is free of it."""
    unit = f"{AGENT}.14.4.1.1"
    answers: dict[str, Value] = {f"{unit}.2.1": 740000, f"{unit}.3.1": 440000}
    answers |= {f"{unit}.2.2": 0, f"{unit}.3.2": 0}
    assert applied(configuration.modules["foundry_poe"], answers) == {
        'chm_poe_budget_watts{pse="1"}': 740,
        'chm_poe_used_watts{pse="1"}': 300,
    }


def test_optics_as_text(configuration: Configuration) -> None:
    """Optical readings are numbers in texts, with leading zeros and verdicts around them."""
    answers: dict[str, Value] = {
        "1.3.6.1.2.1.31.1.1.1.1.65": b"ethernet2/1",
        f"{SWITCH}.3.6.1.1.65": b"    43.3554 C: Normal",
        f"{SWITCH}.3.6.1.2.65": b"-002.7140 dBm: Normal",
        f"{SWITCH}.3.6.1.3.65": b"N/A",
        f"{SWITCH}.3.6.1.4.65": b"   6.582 mA: Normal",
        f"{SWITCH}.3.10.1.4.65.2": b"-003.1000 dBm: Low-Warn",
    }
    assert applied(configuration.modules["foundry_optics"], answers) == {
        'chm_temperature_celsius{sensor="ethernet2/1 transceiver"}': 43.3554,
        'chm_sensor_dbm{sensor="ethernet2/1 tx"}': -2.714,
        'chm_sensor_amperes{sensor="ethernet2/1 tx bias"}': 0.006582,
        'chm_sensor_dbm{sensor="ethernet2/1 lane 2 rx"}': -3.1,
    }


def test_physical_address_is_not_walked(configuration: Configuration) -> None:
    """IfPhysAddress makes some agents fail when it is asked for in bulk."""
    profile = configuration.profiles["ruckus_fastiron"]
    walked = [oid for name in profile.modules for oid in configuration.modules[name].module.walk]
    address = "1.3.6.1.2.1.2.2.1.6.1"
    assert not [oid for oid in walked if f"{address}.".startswith(f"{oid}.")]


@pytest.mark.parametrize(
    ("descr", "profile", "model", "version"),
    [
        (
            "Brocade Communications Systems, Inc. ICX6430-24, IronWare Version 08.0.30tT311",
            "ruckus_fastiron",
            "ICX6430-24",
            "08.0.30tT311",
        ),
        (
            "Extreme Networks NetIron CER, Extended, IronWare Version V6.2.0eT183",
            "ruckus_netiron",
            "NetIron CER",
            "6.2.0eT183",
        ),
    ],
)
def test_identity(
    configuration: Configuration, descr: str, profile: str, model: str, version: str
) -> None:
    """FastIron and NetIron share a number and are told apart by what they say of themselves."""
    found = identify.profile(configuration.profiles, "1.3.6.1.4.1.1991.1.3.51.7", descr)
    facts = identify.facts(configuration.profiles[found], {identify.SYS_DESCR: descr.encode()})
    assert (found, facts["model"], facts["os_version"]) == (profile, model, version)
