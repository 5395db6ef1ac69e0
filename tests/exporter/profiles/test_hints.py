import pytest

from exporter.profiles import hints
from exporter.profiles.values import text


@pytest.mark.parametrize(
    ("hint", "value", "shown"),
    [
        ("1d.1d.1d.1d", bytes([192, 0, 2, 1]), "192.0.2.1"),
        ("1d.1d.1d.1d%4d", bytes([192, 0, 2, 1, 0, 0, 0, 3]), "192.0.2.1%3"),
        ("1x:", bytes([0, 27, 84, 255]), "00:1B:54:FF"),
        ("2d-1d-1d,1d:1d:1d.1d", bytes([7, 234, 11, 24, 8, 1, 15, 0]), "2026-11-24,8:1:15.0"),
        ("*1d./1d", bytes([3, 10, 20, 30, 40]), "10.20.30/40"),
        ("1d-1d.", bytes([1, 2, 3, 4]), "1-2.3.4"),
        ("0a[2x]0a:2d", bytes([32, 1, 0, 80]), "[2001]:80"),
        ("1o", bytes([8]), "10"),
        ("255a", b"Gi1/0/1", "Gi1/0/1"),
        ("1d.1d.1d.1d", bytes([10, 20]), "10.20"),
    ],
)
def test_a_value_is_shown_as_its_hint_says(hint: str, value: bytes, shown: str) -> None:
    """The examples of RFC 2579 and of common textual conventions."""
    assert text(value, "OctetString", hint) == shown


@pytest.mark.parametrize("hint", ["", "d", "1", "1z", "0x", "9d", "1d99999999999d", "*"])
def test_a_hint_that_is_none_changes_nothing(hint: str) -> None:
    """Without a usable hint, octets stay hexadecimal."""
    assert hints.shown(b"\x01" * 9, hint) is None
    assert text(b"\x01" * 9, "OctetString", hint) == "0x" + "01" * 9
