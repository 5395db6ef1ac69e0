import pytest

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import Columns, answers, applied

SENSOR = "1.3.6.1.2.1.99.1.1.1"
LIMIT = "1.3.6.1.4.1.30065.3.12.1.1.1"
DESCR = "1.3.6.1.2.1.47.1.1.1.1.2"
PROCESSOR = "1.3.6.1.2.1.25.3"


def sensor(row: tuple[int, int, int, int], name: bytes, limit: dict[str, int]) -> dict[str, Value]:
    """Return sensor 7 with type, scale, precision and value, its name and its limits."""
    columns = {str(column): {"7": number} for column, number in enumerate(row, 1)}
    found = answers(SENSOR, {**columns, "5": {"7": 1}})
    found |= answers(LIMIT, {column: {"7": number} for column, number in limit.items()})
    return found | {f"{DESCR}.7": name}


class TestProcessor:
    def test_summary_row(self, configuration: Configuration) -> None:
        """The first row sums up the cores and is none of them."""
        found = answers(PROCESSOR, {"3.1.2": {"1": 16, "2": 17, "3": 15}})
        found |= answers(PROCESSOR, {"2.1.3": {"1": b"Xeon", "2": b"Core 1", "3": b"Core 2"}})
        assert applied(configuration.modules["arista_processor"], found) == {
            'chm_cpu_utilization_ratio{cpu="Core 1"}': 0.17,
            'chm_cpu_utilization_ratio{cpu="Core 2"}': 0.15,
        }

    def test_only_row(self, configuration: Configuration) -> None:
        """A row that is alone is the processor."""
        found = answers(PROCESSOR, {"3.1.2": {"1": 16}, "2.1.3": {"1": b"Xeon"}})
        assert applied(configuration.modules["arista_processor"], found) == {
            'chm_cpu_utilization_ratio{cpu="Xeon"}': 0.16
        }


def test_memory_without_buffers_and_cache(configuration: Configuration) -> None:
    """EOS counts buffers and cache as used, and tells how much they are in rows of their own."""
    rows: Columns = {
        "3": {"1": b"RAM", "2": b"RAM (Buffers)", "3": b"RAM (Cache)"},
        "4": {"1": 1024, "2": 1024, "3": 1024},
        "5": {"1": 4000, "2": 4000, "3": 4000},
        "6": {"1": 3800, "2": 200, "3": 2300},
    }
    found = answers("1.3.6.1.2.1.25.2.3.1", rows)
    assert applied(configuration.modules["arista_memory"], found) == {
        'chm_memory_used_bytes{pool="RAM"}': 1300 * 1024,
        'chm_memory_size_bytes{pool="RAM"}': 4000 * 1024,
    }


class TestSensor:
    def test_watts_of_light(self, configuration: Configuration) -> None:
        """The power of light is told in milliwatts and becomes decibels, and so do its limits."""
        light = (6, 8, 4, 6015)
        found = sensor(light, b"DOM TX Power Sensor for Ethernet5", {"1": 3170, "4": 20000})
        told = applied(configuration.modules["arista_sensor"], found)
        name = 'sensor="DOM TX Power Sensor for Ethernet5"'
        assert told == {
            f"chm_sensor_dbm{{{name}}}": pytest.approx(-2.2076, abs=1e-4),
            f'chm_sensor_limit_dbm{{limit="low_warning",{name}}}': pytest.approx(-4.9894, abs=1e-4),
            f'chm_sensor_limit_dbm{{limit="high_critical",{name}}}': pytest.approx(
                3.0103, abs=1e-4
            ),
        }

    def test_watts_of_a_supply(self, configuration: Configuration) -> None:
        """The power of a power supply stays in watts."""
        found = sensor((6, 9, 1, 1505), b"Input power sensor", {})
        assert applied(configuration.modules["arista_sensor"], found) == {
            'chm_sensor_watts{sensor="Input power sensor"}': 150.5
        }

    def test_no_limit(self, configuration: Configuration) -> None:
        """10^9 and its negative are no limit."""
        billion = 10**9
        limit = {"1": -billion, "2": -billion, "3": 950, "4": billion}
        found = sensor((8, 9, 1, 282), b"Cpu temp sensor", limit)
        told = applied(configuration.modules["arista_sensor"], found)
        assert told == {
            'chm_temperature_celsius{sensor="Cpu temp sensor"}': 28.2,
            'chm_temperature_limit_celsius{limit="high_warning",sensor="Cpu temp sensor"}': 95,
            'chm_sensor_ok{sensor="Cpu temp sensor"}': 1,
        }

    def test_no_value(self, configuration: Configuration) -> None:
        """-10^9 is no reading."""
        found = sensor((4, 9, 2, -(10**9)), b"Rail", {})
        assert applied(configuration.modules["arista_sensor"], found) == {}


def test_bgp_of_several_instances(configuration: Configuration) -> None:
    """The same address can be a peer in two VRFs; the instance tells them apart."""
    peers = ("1.1.4.10.0.0.1", "2.1.4.10.0.0.1")
    columns = {"2.1.10": 65000, "2.1.12": 2, "2.1.13": 6, "4.1.1": 9, "7.1.5": 1}
    rows: Columns = {column: dict.fromkeys(peers, value) for column, value in columns.items()}
    found = answers("1.3.6.1.4.1.30065.4.1.1", {**rows, "8.1.4": {peers[0] + ".1.1": 500}})
    told = applied(configuration.modules["arista_bgp"], found)
    assert told['chm_bgp_session_up{peer="10.0.0.1 1",remote_as="65000"}'] == 1
    assert told['chm_bgp_session_up{peer="10.0.0.1 2",remote_as="65000"}'] == 1
    assert len(told) == 9


@pytest.mark.parametrize("maker", ["Arista Networks", "Arista"])
def test_model(configuration: Configuration, maker: str) -> None:
    """Newer releases say Arista where older ones said Arista Networks."""
    described = f"Arista Networks EOS version 4.30.1F running on an {maker} DCS-7050SX3-48YC8"
    facts = identify.facts(
        configuration.profiles["arista_eos"], {identify.SYS_DESCR: described.encode()}
    )
    assert (facts["model"], facts["os_version"]) == ("DCS-7050SX3-48YC8", "4.30.1F")
