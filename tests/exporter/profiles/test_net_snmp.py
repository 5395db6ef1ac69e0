from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied


def test_caches(configuration: Configuration) -> None:
    """Buffers and caches are not memory in use."""
    answers: dict[str, Value] = {
        f"1.3.6.1.4.1.2021.4.{field}.0": number
        for field, number in ((5, 1000), (6, 300), (14, 100), (15, 200))
    }
    assert applied(configuration.modules["ucd_memory"], answers) == {
        'chm_memory_used_bytes{pool="Physical memory"}': 400 * 1024,
        'chm_memory_size_bytes{pool="Physical memory"}': 1000 * 1024,
    }
