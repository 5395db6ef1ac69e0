"""Devices of Cisco that run no IOS, though they stand among its numbers."""

from exporter.profiles import identify
from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import answers, applied


class TestSmallBusiness:
    """Switches of Cisco that run no IOS, though they are called Catalyst, too."""

    def test_profile(self, configuration: Configuration) -> None:
        """They have a number below Cisco's, and a profile of their own."""
        found = identify.profile(
            configuration.profiles, "1.3.6.1.4.1.9.6.1.1008.24.2", "Catalyst 1300"
        )
        assert found == "cisco_small_business"

    def test_health(self, configuration: Configuration) -> None:
        """What is not measured, not present, or a threshold of older firmware is no sample."""
        root = "1.3.6.1.4.1.9.6.1.101"
        cpu = configuration.modules["cisco_small_business_cpu"]
        assert applied(cpu, {f"{root}.1.7.0": 101, f"{root}.1.8.0": 101}) == {}
        assert applied(cpu, {f"{root}.1.7.0": 40, f"{root}.1.8.0": 7}) == {
            'chm_cpu_utilization_ratio{cpu="Processor"}': 0.07
        }
        found = applied(
            configuration.modules["cisco_small_business_environment"],
            answers(f"{root}.83.1.1.1", {"2": {"1": b"fan1_unit1"}, "3": {"1": 6, "2": 5}})
            | answers(f"{root}.53.15.1", {"10": {"1": 48, "2": 1}, "11": {"1": 1, "2": 65}}),
        )
        assert {key: value for key, value in found.items() if "degraded" not in key} == {
            'chm_fan_up{fan="fan1_unit1"}': 0,
            'chm_temperature_celsius{sensor="Unit 1"}': 48,
        }


def test_wireless_controller(configuration: Configuration) -> None:
    """AireOS has nothing of IOS: it tells percent, kilobytes, and 0 where it has no thermometer."""
    agent, sensor = "1.3.6.1.4.1.14179.1.1.5", "1.3.6.1.4.1.14179.2.3.1.13.0"
    told: dict[str, Value] = {f"{agent}.1.0": 3, f"{agent}.2.0": 1000, f"{agent}.3.0": 400}
    assert applied(configuration.modules["cisco_wlc"], {**told, sensor: 0}) == {
        'chm_cpu_utilization_ratio{cpu="Processor"}': 0.03,
        'chm_memory_used_bytes{pool="System memory"}': 600 * 1024,
        'chm_memory_size_bytes{pool="System memory"}': 1000 * 1024,
    }
