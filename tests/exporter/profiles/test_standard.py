from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied


def test_host_resources_above_limit(configuration: Configuration) -> None:
    """A storage size beyond Integer32 comes as a negative number and is read as unsigned."""
    table = "1.3.6.1.2.1.25.2.3.1"
    answers: dict[str, Value] = {
        f"{table}.2.1": "1.3.6.1.2.1.25.2.1.2",
        f"{table}.3.1": b"RAM",
        f"{table}.4.1": 1024,
        f"{table}.5.1": -(2**31),
    }
    assert applied(configuration.modules["host_memory"], answers) == {
        'chm_memory_size_bytes{pool="RAM"}': 2**31 * 1024
    }
