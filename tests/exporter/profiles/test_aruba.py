"""The traps of Aruba's MIBs, on CX switches and on controllers."""

import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied

CX = "1.3.6.1.4.1.47196.4.1.1.3"
CONTROLLER = "1.3.6.1.4.1.14823.2.2.1"


def test_thousandths_of_a_degree(configuration: Configuration) -> None:
    """Temperatures are in 0.001 C; what the sensor has seen at most is no limit."""
    column = f"{CX}.11.3.1.1"
    answers: dict[str, Value] = {
        f"{column}.5.1.4.1.1": b"1/1-CPU",
        f"{column}.6.1.4.1.1": b"normal",
        f"{column}.7.1.4.1.1": 70875,
        f"{column}.8.1.4.1.1": 20000,
        f"{column}.9.1.4.1.1": 90000,
    }
    assert applied(configuration.modules["aruba_cx_temperature"], answers) == {
        'chm_temperature_celsius{sensor="1/1-CPU"}': 70.875,
        'chm_sensor_ok{sensor="1/1-CPU"}': 1,
        'chm_component_degraded{component="1/1-CPU",kind="sensor"}': 0,
    }


def test_broken_sensor(configuration: Configuration) -> None:
    """A sensor at fault reads nothing, and says so."""
    column = f"{CX}.11.3.1.1"
    answers: dict[str, Value] = {f"{column}.6.1.4.1.2": b"fault", f"{column}.7.1.4.1.2": 0}
    found = applied(configuration.modules["aruba_cx_temperature"], answers)
    assert found['chm_sensor_ok{sensor="2"}'] == 0
    assert not [key for key in found if key.startswith("chm_temperature")]


@pytest.mark.parametrize(("column", "states"), [(4, (b"ok", b"fault_input")), (11, (1, 3))])
def test_supply(configuration: Configuration, column: int, states: tuple[Value, Value]) -> None:
    """Newer firmware tells states as numbers, older as words; no supply is no fault."""
    table = f"{CX}.11.2.1.1"
    absent: Value = 2 if column == 11 else b"fault_absent"
    answers: dict[str, Value] = {f"{table}.3.1.{row}": f"1/{row}".encode() for row in (1, 2, 3)}
    for row, state in enumerate((*states, absent), 1):
        answers |= {f"{table}.{column}.1.{row}": state}
    answers |= {
        f"{table}.7.1.1": 49,
        f"{table}.8.1.1": 550,
        f"{table}.7.1.3": 0,
        f"{table}.8.1.3": 0,
    }
    found = applied(configuration.modules["aruba_cx_power_supply"], answers)
    assert {key: value for key, value in found.items() if "degraded" not in key} == {
        'chm_power_supply_up{psu="Power supply 1/1"}': 1,
        'chm_power_supply_up{psu="Power supply 1/2"}': 0,
        'chm_sensor_watts{sensor="Power supply 1/1"}': 49,
        'chm_sensor_limit_watts{limit="high_critical",sensor="Power supply 1/1"}': 550,
    }


def test_fan_without_speed(configuration: Configuration) -> None:
    """-1 revolutions are no speed, and an empty tray is no broken fan."""
    table = f"{CX}.11.5.1.1"
    answers: dict[str, Value] = {f"{table}.4.1.1.{row}": f"1/1/{row}".encode() for row in (1, 2, 3)}
    answers |= {f"{table}.8.1.1.1": 5000, f"{table}.8.1.1.2": -1, f"{table}.8.1.1.3": -1}
    answers |= {f"{table}.10.1.1.1": 4, f"{table}.10.1.1.2": 5, f"{table}.10.1.1.3": 2}
    assert applied(configuration.modules["aruba_cx_fan"], answers) == {
        'chm_fan_up{fan="1/1/1"}': 1,
        'chm_fan_up{fan="1/1/2"}': 0,
        'chm_fan_speed_rpm{fan="1/1/1"}': 5000,
    }


def test_fans_of_older_firmware(configuration: Configuration) -> None:
    """Where there is no table of fans, the standard sensors tell their speed under their name."""
    sensor, name = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.2.1.47.1.1.1.1.7"
    answers: dict[str, Value] = {f"{name}.7101": b"RPM sensor for fan Tray-1/1/1"}
    answers |= {f"{sensor}.1.7101": 10, f"{sensor}.4.7101": 5769, f"{sensor}.5.7101": 1}
    answers |= {f"{sensor}.1.7401": 6, f"{sensor}.4.7401": 55, f"{sensor}.5.7401": 1}
    table = configuration.modules["aruba_cx_entity_fan"]
    assert applied(table, answers) == {'chm_fan_speed_rpm{fan="Tray-1/1/1"}': 5769}
    assert applied(table, answers, "chm_fan_speed_rpm") == {}


def _text(words: str) -> str:
    return ".".join([str(len(words)), *map(str, words.encode())])


def test_line_cards(configuration: Configuration) -> None:
    """The management module counts once, by the standard MIB where that tells of it."""
    table = f"{CX}.22.1.0.1.1"
    manager, card = (
        _text("management_module") + "." + _text("1/5"),
        _text("line_card") + "." + _text("1/1"),
    )
    answers: dict[str, Value] = {f"{table}.3.{manager}": 30, f"{table}.3.{card}": 5}
    answers |= {f"{table}.4.{manager}": 40, f"{table}.4.{card}": 15, f"{table}.10.{card}": 7}
    module = configuration.modules["aruba_cx_system"]
    cards = {
        'chm_cpu_utilization_ratio{cpu="line_card 1/1"}': 0.07,
        'chm_memory_utilization_ratio{pool="line_card 1/1"}': 0.15,
    }
    assert (
        applied(module, answers, "chm_cpu_utilization_ratio", "chm_memory_utilization_ratio")
        == cards
    )
    assert applied(module, answers) == {
        **cards,
        'chm_cpu_utilization_ratio{cpu="management_module 1/5"}': 0.3,
        'chm_memory_utilization_ratio{pool="management_module 1/5"}': 0.4,
    }


def test_stack(configuration: Configuration) -> None:
    """Members tell of themselves in words; a device on its own tells its load only once."""
    member = f"{CX}.15.1.2.1"
    answers: dict[str, Value] = {f"{member}.3.1": b"ready", f"{member}.3.2": b"not_present"}
    answers |= {f"{member}.9.1": 12, f"{member}.9.2": 0, f"{member}.10.1": 34, f"{member}.10.2": 0}
    answers |= {f"{CX}.15.1.1.1.0": b"fragment_active", f"{CX}.15.1.1.2.0": b"ring"}
    table = configuration.modules["aruba_cx_stack"]
    members = {
        'chm_stack_member_up{member="1"}': 1,
        'chm_stack_member_up{member="2"}': 0,
        'chm_alarm_active{alarm="stack split"}': 1,
    }
    assert applied(table, answers) == {
        **members,
        'chm_cpu_utilization_ratio{cpu="Member 1"}': 0.12,
        'chm_memory_utilization_ratio{pool="Member 1"}': 0.34,
    }
    assert applied(table, {**answers, f"{CX}.15.1.1.2.0": b"standalone"}) == members


def test_pair(configuration: Configuration) -> None:
    """A pair whose link is out of sync or whose keepalive fails raises an alarm."""
    link, keepalive = f"{CX}.7.2.1.1.0", f"{CX}.7.2.2.1.0"
    assert applied(configuration.modules["aruba_cx_stack"], {link: 2, keepalive: 3}) == {
        'chm_alarm_active{alarm="inter-switch link out of sync"}': 1,
        'chm_alarm_active{alarm="keepalive failed"}': 0,
    }


def test_milliwatts(configuration: Configuration) -> None:
    """Optical power comes in milliwatts and is told in dBm; no light has no logarithm."""
    lane = f"{CX}.27.1.2.2.1"
    answers: dict[str, Value] = {"1.3.6.1.2.1.31.1.1.1.1.7": b"1/1/7", f"{lane}.2.7.1": b"6.50"}
    answers |= {f"{lane}.7.7.1": b"0.50", f"{lane}.12.7.1": b"0.00"}
    assert applied(configuration.modules["aruba_cx_optics"], answers) == {
        'chm_sensor_amperes{sensor="1/1/7 lane 1 tx bias"}': 0.0065,
        'chm_sensor_dbm{sensor="1/1/7 lane 1 tx"}': pytest.approx(-3.0103),
    }


def test_degrees_in_a_sentence(configuration: Configuration) -> None:
    """A controller tells its temperature in words."""
    answers: dict[str, Value] = {
        f"{CONTROLLER}.2.1.10.0": b"22.00 degrees Celsius (NORMAL)",
        f"{CONTROLLER}.2.1.17.1.2.0": 1,
        f"{CONTROLLER}.2.1.18.1.2.1": 2,
    }
    assert applied(configuration.modules["aruba_controller_chassis"], answers) == {
        'chm_temperature_celsius{sensor="Internal"}': 22,
        'chm_fan_up{fan="Fan 0"}': 1,
        'chm_power_supply_up{psu="Power supply 1"}': 0,
    }


def test_older_controller(configuration: Configuration) -> None:
    """The older MIB is read only where the newer is missing; memory is in kilobytes."""
    older: dict[str, Value] = {f"{CONTROLLER}.1.1.11.1.2.1": 400, f"{CONTROLLER}.1.1.11.1.3.1": 300}
    newer: dict[str, Value] = {f"{CONTROLLER}.2.1.15.1.2.1": 500, f"{CONTROLLER}.2.1.15.1.3.1": 200}
    table = configuration.modules["aruba_controller_memory"]
    used, size = 'chm_memory_used_bytes{pool="Memory 1"}', 'chm_memory_size_bytes{pool="Memory 1"}'
    assert applied(table, older) == {used: 300 * 1024, size: 400 * 1024}
    assert applied(table, older | newer) == {used: 200 * 1024, size: 500 * 1024}


def test_storage(configuration: Configuration) -> None:
    """The flash of a controller is storage, in megabytes; its memory disk is not."""
    column = f"{CONTROLLER}.2.1.14.1"
    answers: dict[str, Value] = {f"{column}.2.1": 1, f"{column}.2.2": 2, f"{column}.5.2": b"/flash"}
    answers |= {f"{column}.{field}.{row}": 1 for field in (3, 4) for row in (1, 2)}
    assert applied(configuration.modules["aruba_controller_storage"], answers) == {
        'chm_storage_used_bytes{storage="/flash"}': 2**20,
        'chm_storage_size_bytes{storage="/flash"}': 2**20,
    }


@pytest.mark.parametrize(
    ("sys_object_id", "profile"),
    [
        ("1.3.6.1.4.1.14823.1.1.32", "aruba_controller"),
        ("1.3.6.1.4.1.14823.1.2.59", "aruba_other"),
        ("1.3.6.1.4.1.14823.1.6.1", "aruba_other"),
        ("1.3.6.1.4.1.47196.4.1.1.1.424", "aruba_cx"),
        ("1.3.6.1.4.1.11.2.3.7.11.181", "hp_procurve"),
    ],
)
def test_identity(configuration: Configuration, sys_object_id: str, profile: str) -> None:
    """Instant and ClearPass are no controllers, though their numbers are of that kind."""
    assert identify.profile(configuration.profiles, sys_object_id, "") == profile
