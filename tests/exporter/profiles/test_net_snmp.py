from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import answers, applied


def test_caches(configuration: Configuration) -> None:
    """Buffers and caches are not memory in use."""
    found: dict[str, Value] = {
        f"1.3.6.1.4.1.2021.4.{field}.0": number
        for field, number in ((5, 1000), (6, 300), (14, 100), (15, 200))
    }
    assert applied(configuration.modules["ucd_memory"], found) == {
        'chm_memory_used_bytes{pool="Physical memory"}': 400 * 1024,
        'chm_memory_size_bytes{pool="Physical memory"}': 1000 * 1024,
    }


def test_memory_above_two_terabytes(configuration: Configuration) -> None:
    """The 64-bit columns of newer agents come before those that overflow."""
    rows = {"5": {"0": -1}, "6": {"0": 5}, "14": {"0": 1}}
    wide = {
        "20": {"0": 3 * 2**31},
        "21": {"0": 2**31},
        "25": {"0": 0},
        "26": {"0": 2**31},
    }
    found = answers("1.3.6.1.4.1.2021.4", rows | wide | {"15": {"0": 1}})
    assert applied(configuration.modules["ucd_memory"], found) == {
        'chm_memory_used_bytes{pool="Physical memory"}': 2**41,
        'chm_memory_size_bytes{pool="Physical memory"}': 3 * 2**41,
    }


def test_no_swap(configuration: Configuration) -> None:
    """A host without swap space has none that could be full."""
    found = answers("1.3.6.1.4.1.2021.4", {"3": {"0": 0}, "4": {"0": 0}})
    assert applied(configuration.modules["ucd_memory"], found) == {}


def test_load_windows(configuration: Configuration) -> None:
    """The three averages are told by their length, from the hundredths that need no text."""
    found = answers("1.3.6.1.4.1.2021.10.1", {"5": {"1": 1250, "2": 1277, "3": 1280}})
    assert applied(configuration.modules["ucd_load"], found) == {
        'chm_load_average{window="1m"}': 12.5,
        'chm_load_average{window="5m"}': 12.77,
        'chm_load_average{window="15m"}': 12.8,
    }


def test_idle_processor(configuration: Configuration) -> None:
    """An agent that only knows how idle the processor is tells how busy it is."""
    found: dict[str, Value] = {"1.3.6.1.4.1.2021.11.11.0": 93}
    assert applied(configuration.modules["ucd_processor"], found) == {
        'chm_cpu_utilization_ratio{cpu="CPU"}': 0.07
    }


def test_negative_temperature(configuration: Configuration) -> None:
    """A Gauge32 that holds a negative temperature reads as four million degrees."""
    found = answers("1.3.6.1.4.1.2021.13.16.2.1", {"3": {"1": 8300, "2": 2**32 - 1000}})
    assert applied(configuration.modules["lm_sensors"], found) == {
        'chm_temperature_celsius{sensor="1"}': 8.3
    }
