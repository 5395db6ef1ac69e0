import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import Columns, answers, applied


def test_host_resources_above_limit(configuration: Configuration) -> None:
    """A storage size beyond Integer32 comes as a negative number and is read as unsigned."""
    table = "1.3.6.1.2.1.25.2.3.1"
    found: dict[str, Value] = {
        f"{table}.2.1": "1.3.6.1.2.1.25.2.1.2",
        f"{table}.3.1": b"RAM",
        f"{table}.4.1": 1024,
        f"{table}.5.1": -(2**31),
    }
    assert applied(configuration.modules["host_memory"], found) == {
        'chm_memory_size_bytes{pool="RAM"}': 2**31 * 1024
    }


def test_disks(configuration: Configuration) -> None:
    """Disks and flash are told; what Linux only mounts, and what has no size, is no disk."""
    kinds = {"1": "4", "2": "9", "3": "4", "4": "4", "5": "3"}
    names = {"1": b"/", "2": b"Flash", "3": b"/run/user/0", "4": b"/empty", "5": b"Swap space"}
    rows: Columns = {
        "2": {index: f"1.3.6.1.2.1.25.2.1.{kind}" for index, kind in kinds.items()},
        "3": dict(names),
        "4": dict.fromkeys(names, 4096),
        "5": {"1": -1, "2": 10, "3": 10, "4": 0, "5": 10},
        "6": dict.fromkeys(names, 1),
    }
    found = answers("1.3.6.1.2.1.25.2.3.1", rows)
    assert applied(configuration.modules["host_storage"], found) == {
        'chm_storage_used_bytes{storage="/"}': 4096,
        'chm_storage_used_bytes{storage="Flash"}': 4096,
        'chm_storage_size_bytes{storage="/"}': (2**32 - 1) * 4096,
        'chm_storage_size_bytes{storage="Flash"}': 40960,
    }


def test_sensors_in_decibels(configuration: Configuration) -> None:
    """ENTITY-SENSOR-MIB has no type for decibels; the unit tells."""
    row: dict[str, Value] = {"1": 1, "2": 9, "3": 2, "4": -712, "5": 1, "6": b"dBm"}
    found = answers("1.3.6.1.2.1.99.1.1.1", {column: {"7": v} for column, v in row.items()})
    assert applied(configuration.modules["entity_sensor"], found) == {
        'chm_sensor_dbm{sensor="7"}': -7.12
    }


def test_states_of_parts(configuration: Configuration) -> None:
    """ENTITY-STATE-MIB tells of supplies, fans and modules by the class of the part."""
    found = answers("1.3.6.1.2.1.131.1.1.1", {"3": {"1": 3, "2": 2, "3": 4, "4": 3, "5": 1}})
    found |= answers("1.3.6.1.2.1.47.1.1.1.1", {"5": {"1": 6, "2": 7, "3": 9, "4": 3, "5": 6}})
    told = applied(configuration.modules["entity_state"], found)
    assert {k: v for k, v in told.items() if "degraded" not in k} == {
        'chm_power_supply_up{psu="1"}': 1,
        'chm_fan_up{fan="2"}': 0,
        'chm_module_up{module="3"}': 1,
    }


def test_power_over_ethernet(configuration: Configuration) -> None:
    """Equipment with a budget of 0 is not there."""
    rows: Columns = {
        "2": {"1": 370, "2": 0},
        "3": {"1": 3, "2": 1},
        "4": {"1": 115, "2": 0},
    }
    found = answers("1.3.6.1.2.1.105.1.3.1.1", rows)
    assert applied(configuration.modules["poe"], found) == {
        'chm_poe_budget_watts{pse="1"}': 370,
        'chm_poe_used_watts{pse="1"}': 115,
        'chm_alarm_active{alarm="power over Ethernet 1 faulty"}': 1,
    }


class TestBgp:
    PEER = answers(
        "1.3.6.1.2.1.15.3.1",
        {c: {"10.0.0.1": v} for c, v in {"2": 3, "3": 1, "9": 65001, "15": 4, "16": 60}.items()},
    )

    def test_session(self, configuration: Configuration) -> None:
        """A session that is shut down is told to be down and not meant to be up."""
        labels = '{peer="10.0.0.1",remote_as="65001"}'
        assert applied(configuration.modules["bgp4"], self.PEER) == {
            f"chm_bgp_session_up{labels}": 0,
            f"chm_bgp_session_enabled{labels}": 0,
            f"chm_bgp_session_age_seconds{labels}": 60,
            f"chm_bgp_session_transitions_total{labels}": 4,
        }

    def test_no_doubles(self, configuration: Configuration) -> None:
        """Where the vendor's table told the sessions, the standard one tells none again."""
        table = configuration.modules["bgp4"]
        assert applied(table, self.PEER, *{entry.family for entry in table.module.health}) == {}


class TestOspf:
    def test_two_way_is_well(self, configuration: Configuration) -> None:
        """Routers that are neither designated nor backup stay at two-way, and that is up."""
        rows: Columns = {
            "3": {"10.0.0.1.0": "10.9.9.1", "10.0.0.2.0": "10.9.9.2", "0.0.0.0.7": "10.9.9.3"},
            "6": {"10.0.0.1.0": 4, "10.0.0.2.0": 5, "0.0.0.0.7": 8},
            "7": {"10.0.0.1.0": 6},
        }
        found = answers("1.3.6.1.2.1.14.10.1", rows)
        assert applied(configuration.modules["ospf"], found) == {
            'chm_ospf_neighbor_up{neighbor="10.0.0.1",router_id="10.9.9.1"}': 1,
            'chm_ospf_neighbor_up{neighbor="10.0.0.2",router_id="10.9.9.2"}': 0,
            'chm_ospf_neighbor_up{neighbor="0.0.0.0",router_id="10.9.9.3"}': 1,
            'chm_ospf_neighbor_transitions_total{neighbor="10.0.0.1",router_id="10.9.9.1"}': 6,
        }

    def test_version_3(self, configuration: Configuration) -> None:
        """The router id of OSPFv3 is a number in the index, and is written as an address."""
        index = "4.0.1602414725"
        address = bytes.fromhex("fe800000000000000ec47afffebc329b")
        rows: Columns = {"4": {index: 2}, "5": {index: address}, "8": {index: 8}, "9": {index: 2}}
        found = answers("1.3.6.1.2.1.191.1.9.1", rows)
        labels = '{neighbor="fe80::ec4:7aff:febc:329b",router_id="95.130.232.133"}'
        assert applied(configuration.modules["ospfv3"], found) == {
            f"chm_ospf_neighbor_up{labels}": 1,
            f"chm_ospf_neighbor_transitions_total{labels}": 2,
        }


class TestNeighbors:
    def test_time_mark(self, configuration: Configuration) -> None:
        """The time mark of LLDP changes and is no name; the same neighbour twice is one."""
        marks = ("0.5.1", "4711.5.9")
        row: dict[str, Value] = {"4": 4, "5": bytes(6), "6": 5, "7": b"Ethernet1", "9": b"core1"}
        remote = {column: dict.fromkeys(marks, value) for column, value in row.items()}
        found = answers("1.0.8802.1.1.2.1.4.1.1", remote)
        found |= answers("1.0.8802.1.1.2.1.3.7.1", {"2": {"5": 5}, "3": {"5": b"Gi1/0/5"}})
        found |= {"1.3.6.1.2.1.31.1.1.1.1.10105": b"Gi1/0/5"}
        labels = (
            'interface="Gi1/0/5",neighbor="core1",neighbor_interface="Ethernet1",protocol="lldp"'
        )
        assert applied(configuration.modules["lldp"], found) == {
            f"chm_neighbor_info{{{labels}}}": 1
        }

    def test_cdp_serial_number(self, configuration: Configuration) -> None:
        """Nexus switches append their serial number to their name in CDP."""
        row = {"6": b"dist1(FOC1234ABCD)", "7": b"Ethernet1/49"}
        found = answers("1.3.6.1.4.1.9.9.23.1.2.1.1", {c: {"7.1": v} for c, v in row.items()})
        found |= {"1.3.6.1.2.1.31.1.1.1.1.7": b"Gi0/7"}
        labels = (
            'interface="Gi0/7",neighbor="dist1",neighbor_interface="Ethernet1/49",protocol="cdp"'
        )
        assert applied(configuration.modules["cdp"], found) == {f"chm_neighbor_info{{{labels}}}": 1}


def test_windows(configuration: Configuration) -> None:
    """Windows is asked for the standard MIBs, and tells its version in its description."""
    described = (
        "Hardware: Intel64 - Software: Windows Version 10.0 (Build 17763 Multiprocessor Free)"
    )
    name = identify.profile(configuration.profiles, "1.3.6.1.4.1.311.1.1.3.1.2", described)
    profile = configuration.profiles[name]
    facts = identify.facts(profile, {identify.SYS_DESCR: described.encode()})
    assert (name, facts["os_version"]) == ("microsoft_windows", "10.0")
    assert "host_memory" in profile.modules


@pytest.mark.parametrize("part", [b"Real memory", b"MALLOC: solaris", b"UMA: mbuf"])
def test_active_memory_of_a_bsd(configuration: Configuration, part: bytes) -> None:
    """What is a part of the physical memory is not counted twice."""
    row: dict[str, dict[str, Value]] = {"3": {"1": b"Physical memory", "2": part}}
    row |= {"2": dict.fromkeys("12", "1.3.6.1.2.1.25.2.1.2"), "4": {"1": 4096, "2": 4096}}
    row |= {"5": {"1": 1000, "2": 700}, "6": {"1": 900, "2": 500}}
    found = applied(configuration.modules["host_memory"], answers("1.3.6.1.2.1.25.2.3.1", row))
    assert found == {
        'chm_memory_used_bytes{pool="Physical memory"}': 900 * 4096,
        'chm_memory_size_bytes{pool="Physical memory"}': 1000 * 4096,
    }
