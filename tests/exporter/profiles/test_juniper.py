from exporter.profiles.loader import Configuration
from exporter.profiles.values import Value
from tests.exporter.profiles import applied


def test_zero(configuration: Configuration) -> None:
    """Zero means inapplicable: a fan tray has no processor, memory or temperature."""
    column = "1.3.6.1.4.1.2636.3.1.13.1"
    answers: dict[str, Value] = {f"{column}.5.4.1.0.0": b"Fan Tray 0"}
    answers |= {f"{column}.{field}.4.1.0.0": 0 for field in (7, 8, 11, 15)}
    assert applied(configuration.modules["juniper_operating"], answers) == {}
