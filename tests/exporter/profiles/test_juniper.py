"""The traps of Juniper's MIBs."""

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied

OPERATING = "1.3.6.1.4.1.2636.3.1.13.1"
FRU = "1.3.6.1.4.1.2636.3.1.15.1"
DOM = "1.3.6.1.4.1.2636.3.60.1"


def test_zero(configuration: Configuration) -> None:
    """Zero means inapplicable: a fan tray has no processor, memory or temperature."""
    answers: dict[str, Value] = {f"{OPERATING}.5.4.1.0.0": b"Fan Tray 0"}
    answers |= {f"{OPERATING}.{field}.4.1.0.0": 0 for field in (7, 8, 11, 15)}
    assert applied(configuration.modules["juniper_operating"], answers) == {}


def test_idle_processor(configuration: Configuration) -> None:
    """A part with memory has a processor, and 0 percent is how busy that is."""
    answers: dict[str, Value] = {
        f"{OPERATING}.5.9.2.0.0": b"Routing Engine 1",
        f"{OPERATING}.8.9.2.0.0": 0,
        f"{OPERATING}.11.9.2.0.0": 50,
        f"{OPERATING}.15.9.2.0.0": 2048,
    }
    assert applied(configuration.modules["juniper_operating"], answers) == {
        'chm_cpu_utilization_ratio{cpu="Routing Engine 1"}': 0,
        'chm_memory_used_bytes{pool="Routing Engine 1"}': 2**30,
        'chm_memory_size_bytes{pool="Routing Engine 1"}': 2**31,
    }


def test_full_speed(configuration: Configuration) -> None:
    """A fan at full speed runs, but something is hot; an unknown supply has no sample."""
    answers: dict[str, Value] = {
        f"{OPERATING}.5.4.1.1.0": b"Fan 1",
        f"{OPERATING}.5.2.1.0.0": b"PEM 0",
        f"{OPERATING}.5.2.2.0.0": b"PEM 1",
        f"{OPERATING}.6.2.1.0.0": 6,
        f"{OPERATING}.6.2.2.0.0": 1,
        f"{OPERATING}.6.4.1.1.0": 5,
    }
    assert applied(configuration.modules["juniper_operating"], answers) == {
        'chm_power_supply_up{psu="PEM 0"}': 0,
        'chm_fan_up{fan="Fan 1"}': 1,
        'chm_component_degraded{component="Fan 1",kind="fan"}': 1,
    }


def test_empty_slot(configuration: Configuration) -> None:
    """An empty slot is no broken module, one that is only present is, and the chassis is none."""
    answers: dict[str, Value] = {}
    for index, name, state in (
        ("7.1.0.0", b"FPC 0", 6),
        ("7.2.0.0", b"FPC 1", 2),
        ("8.1.1.0", b"PIC 0/0", 8),
        ("1.1.0.0", b"chassis", 6),
        ("2.1.0.0", b"PEM 0", 3),
    ):
        answers |= {f"{FRU}.5.{index}": name, f"{FRU}.8.{index}": state}
    given = ("chm_fan_up", "chm_power_supply_up")
    modules = {'chm_module_up{module="FPC 0"}': 1, 'chm_module_up{module="PIC 0/0"}': 0}
    table = configuration.modules["juniper_fru"]
    assert applied(table, answers, *given) == modules
    assert applied(table, answers) == {**modules, 'chm_power_supply_up{psu="PEM 0"}': 0}


def test_lamps(configuration: Configuration) -> None:
    """The yellow and the red alarm are on, off, or not told."""
    lamp = "1.3.6.1.4.1.2636.3.4.2"
    table = configuration.modules["juniper_alarm"]
    assert applied(table, {f"{lamp}.2.1.0": 3, f"{lamp}.3.1.0": 2}) == {
        'chm_alarm_active{alarm="yellow"}': 1,
        'chm_alarm_active{alarm="red"}': 0,
    }
    assert applied(table, {f"{lamp}.3.1.0": 1}) == {}


def test_optics_without_data(configuration: Configuration) -> None:
    """A reading of 0 is no data; a limit of 0 is one where the transceiver has limits at all."""
    name = "1.3.6.1.2.1.31.1.1.1.1"
    answers: dict[str, Value] = {f"{name}.513": b"xe-0/0/0", f"{name}.514": b"xe-0/0/1"}
    for column in (5, 7, 11, 12, 21, 25):
        answers |= {f"{DOM}.1.1.1.{column}.513": 0, f"{DOM}.1.1.1.{column}.514": 0}
    answers |= {f"{DOM}.1.1.1.5.513": -230, f"{DOM}.1.1.1.6.513": 5588}
    answers |= {f"{DOM}.1.1.1.12.513": -1209, f"{DOM}.1.1.1.21.513": 90}
    assert applied(configuration.modules["juniper_optics"], answers) == {
        'chm_sensor_dbm{sensor="xe-0/0/0 rx"}': -2.3,
        'chm_sensor_limit_dbm{limit="high_warning",sensor="xe-0/0/0 rx"}': 0,
        'chm_sensor_limit_dbm{limit="low_warning",sensor="xe-0/0/0 rx"}': -12.09,
        'chm_sensor_amperes{sensor="xe-0/0/0 tx bias"}': 0.005588,
        'chm_temperature_limit_celsius{limit="high_critical",sensor="xe-0/0/0 transceiver"}': 90,
    }


def test_another_reference(configuration: Configuration) -> None:
    """Where no receiver could bear the limit of an alarm, neither reading nor limits are in dBm."""
    answers: dict[str, Value] = {"1.3.6.1.2.1.31.1.1.1.1.585": b"xe-0/2/0"}
    answers |= {f"{DOM}.1.1.1.{column}.585": value for column, value in ((5, 1755), (7, -206))}
    answers |= {f"{DOM}.1.1.1.{column}.585": value for column, value in ((9, 2100), (10, 496))}
    answers |= {f"{DOM}.1.1.1.21.585": 75}
    assert applied(configuration.modules["juniper_optics"], answers) == {
        'chm_sensor_dbm{sensor="xe-0/2/0 tx"}': -2.06,
        'chm_temperature_limit_celsius{limit="high_critical",sensor="xe-0/2/0 transceiver"}': 75,
    }


def test_lanes(configuration: Configuration) -> None:
    """A transceiver with several lanes tells each lane's power in hundredths of a dBm."""
    answers: dict[str, Value] = {
        "1.3.6.1.2.1.31.1.1.1.1.530": b"et-0/0/48",
        f"{DOM}.2.1.1.6.530.0": -105,
        f"{DOM}.2.1.1.6.530.1": 0,
        f"{DOM}.2.1.1.7.530.1": 6500,
        f"{DOM}.2.1.1.8.530.0": -98,
    }
    assert applied(configuration.modules["juniper_optics"], answers) == {
        'chm_sensor_dbm{sensor="et-0/0/48 lane 0 rx"}': -1.05,
        'chm_sensor_amperes{sensor="et-0/0/48 lane 1 tx bias"}': 0.0065,
        'chm_sensor_dbm{sensor="et-0/0/48 lane 0 tx"}': -0.98,
    }


def test_virtual_chassis(configuration: Configuration) -> None:
    """Every role in a virtual chassis is a member that works."""
    role = "1.3.6.1.4.1.2636.3.40.1.4.1.1.1.3"
    answers: dict[str, Value] = {f"{role}.0": 1, f"{role}.1": 2, f"{role}.2": 3}
    assert applied(configuration.modules["juniper_virtual_chassis"], answers) == {
        f'chm_stack_member_up{{member="{member}"}}': 1 for member in (0, 1, 2)
    }


def test_spu(configuration: Configuration) -> None:
    """The processors of an SRX that pass traffic are told apart from its routing engine."""
    spu = "1.3.6.1.4.1.2636.3.39.1.12.1.1.1"
    answers: dict[str, Value] = {f"{spu}.4.0": 37, f"{spu}.5.0": 61}
    assert applied(configuration.modules["juniper_spu"], answers) == {
        'chm_cpu_utilization_ratio{cpu="SPU 0"}': 0.37,
        'chm_memory_utilization_ratio{pool="SPU 0"}': 0.61,
    }


def test_identity(configuration: Configuration) -> None:
    """Junos is recognised, and tells its version in sysDescr."""
    descr = "Juniper Networks, Inc. mx960 internet router, kernel JUNOS 12.3R6.6, Build date: 2014"
    profile = identify.profile(configuration.profiles, "1.3.6.1.4.1.2636.1.1.1.2.21", descr)
    facts = identify.facts(configuration.profiles[profile], {identify.SYS_DESCR: descr.encode()})
    assert (profile, facts["os_version"]) == ("juniper_junos", "12.3R6.6")


def test_address_without_length(configuration: Configuration) -> None:
    """The addresses in the index of a session are read, though no length says where they end."""
    table = "1.3.6.1.4.1.2636.5.1.1.2"
    four = "0.1.192.0.2.1.1.192.0.2.2"
    six = f"0.2.32.1.13.184{'.0' * 11}.1.2.32.1.13.184{'.0' * 11}.2"
    answers: dict[str, Value] = {}
    for row, state, remote_as in ((four, 6, 65001), (six, 3, 4200000001)):
        answers |= {f"{table}.1.1.1.2.{row}": state, f"{table}.1.1.1.13.{row}": remote_as}
    answers |= {f"{table}.1.1.1.3.{four}": 2, f"{table}.4.1.1.1.{four}": 3600}
    answers |= {f"{table}.6.1.1.5.{four}": 4}
    assert applied(configuration.modules["juniper_bgp"], answers) == {
        'chm_bgp_session_up{peer="192.0.2.2",remote_as="65001"}': 1,
        'chm_bgp_session_up{peer="2001:db8::2",remote_as="4200000001"}': 0,
        'chm_bgp_session_enabled{peer="192.0.2.2",remote_as="65001"}': 1,
        'chm_bgp_session_age_seconds{peer="192.0.2.2",remote_as="65001"}': 3600,
        'chm_bgp_session_transitions_total{peer="192.0.2.2",remote_as="65001"}': 4,
    }
