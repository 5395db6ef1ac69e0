from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied


def test_kilobytes(configuration: Configuration) -> None:
    """The MIB counts cpmCPUMemory in kilobytes."""
    column = "1.3.6.1.4.1.9.9.109.1.1.1.1"
    answers: dict[str, Value] = {f"{column}.12.7": 100, f"{column}.13.7": 300}
    assert applied(configuration.modules["cisco_process_memory"], answers) == {
        'chm_memory_used_bytes{pool="Processor"}': 102_400,
        'chm_memory_size_bytes{pool="Processor"}': 409_600,
    }


def test_saturated_pool(configuration: Configuration) -> None:
    """The 64-bit columns of a memory pool come before the 32-bit ones that saturate."""
    column = "1.3.6.1.4.1.9.9.221.1.1.1.1"
    answers: dict[str, Value] = {f"{column}.3.1.1": b"DRAM"}
    answers |= {f"{column}.7.1.1": 2**32 - 1, f"{column}.8.1.1": 2**32 - 1}
    answers |= {f"{column}.18.1.1": 5 * 2**30, f"{column}.20.1.1": 3 * 2**30}
    assert applied(configuration.modules["cisco_enhanced_memory"], answers) == {
        'chm_memory_used_bytes{pool="DRAM"}': 5 * 2**30,
        'chm_memory_size_bytes{pool="DRAM"}': 8 * 2**30,
    }


def test_absent_supply(configuration: Configuration) -> None:
    """A power supply that is not present is neither up nor down."""
    column = "1.3.6.1.4.1.9.9.13.1.5.1"
    answers: dict[str, Value] = {f"{column}.2.1": b"PS1", f"{column}.3.1": 5}
    assert applied(configuration.modules["cisco_envmon"], answers) == {}


def test_line_card(configuration: Configuration) -> None:
    """A line card in the table of powered units is no power supply."""
    answers: dict[str, Value] = {}
    for row, kind in ((1, 9), (2, 6)):
        answers[f"1.3.6.1.2.1.47.1.1.1.1.5.{row}"] = kind
        answers[f"1.3.6.1.4.1.9.9.117.1.1.2.1.2.{row}"] = 8
    assert applied(configuration.modules["cisco_fru"], answers) == {
        'chm_power_supply_up{psu="2"}': 0
    }
