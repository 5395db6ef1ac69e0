import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.profiles import values
from exporter.profiles.values import Value


class TestIndex:
    @pytest.mark.parametrize(
        ("kind", "arcs", "options", "shown", "rest"),
        [
            ("gauge", (7, 8), {}, "7", (8,)),
            ("PhysAddress48", (0, 27, 84, 0, 0, 255, 9), {}, "00:1B:54:00:00:FF", (9,)),
            ("OctetString", (2, 171, 18, 5), {}, "0xAB12", (5,)),
            ("OctetString", (171, 18, 5), {"size": 2}, "0xAB12", (5,)),
            ("DisplayString", (97, 98), {"implied": True}, "ab", ()),
            ("DisplayString", (0, 5), {}, "", (5,)),
            ("InetAddressIPv4", (192, 0, 2, 1, 5), {}, "192.0.2.1", (5,)),
            ("InetAddress", (1, 4, 192, 0, 2, 1, 5), {}, "192.0.2.1", (5,)),
            ("InetAddressMissingSize", (1, 192, 0, 2, 1), {}, "192.0.2.1", ()),
            (
                "InetAddress",
                (2, 16, *range(1, 17)),
                {},
                "0102:0304:0506:0708:090A:0B0C:0D0E:0F10",
                (),
            ),
            ("InetAddress", (16, 2, 97, 98, 5), {}, "0x10026162", (5,)),
            ("LldpPortId", (3, 0, 27, 84, 0, 0, 1), {}, "1B:54:00:00:01:00", ()),
            ("EnumAsInfo", (2,), {"names": {2: "down"}}, "down", ()),
            ("EnumAsInfo", (9,), {"names": {2: "down"}}, "9", ()),
        ],
    )
    def test_forms(
        self,
        kind: str,
        arcs: tuple[int, ...],
        options: dict[str, object],
        shown: str,
        rest: tuple[int, ...],
    ) -> None:
        """An index of each type reads as in snmp_exporter."""
        found, _, left = values.index(arcs, kind, **options)  # type: ignore[arg-type]
        assert (found, tuple(left)) == (shown, rest)

    def test_lying_length(self) -> None:
        """A length far beyond the index takes what is there and allocates nothing."""
        assert values.index((2**32 - 1, 97, 98), "DisplayString")[0] == "ab"
        assert values.index((9, 2**32 - 1, 97), "InetAddress")[0] == "0x09FF61"


class TestText:
    @pytest.mark.parametrize(
        ("value", "kind", "shown"),
        [
            (b"\xab\x12", "OctetString", "0xAB12"),
            (b"", "OctetString", ""),
            (b"plain \xff\xfe text", "DisplayString", "plain \ufffd text"),
            (b"", "PhysAddress48", "00:00:00:00:00:00"),
            (b"\xc0\x00\x02\x01", "InetAddressIPv4", "192.0.2.1"),
            ("1.3.6.1.4.1.9", "OctetString", "1.3.6.1.4.1.9"),
            (5, "DisplayString", "5"),
            (None, "DisplayString", ""),
        ],
    )
    def test_forms(self, value: values.Value, kind: str, shown: str) -> None:
        """A value reads as in snmp_exporter; bytes that are no UTF-8 are one U+FFFD a run."""
        assert values.text(value, kind) == shown


@pytest.mark.parametrize("kind", ["PhysAddress48", "OctetString", "DisplayString"])
@given(
    st.lists(st.binary(min_size=6, max_size=6))
    | st.lists(st.binary(max_size=7))
    | st.lists(st.text(max_size=3))
    | st.lists(
        st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=7)
    )
)
def test_columns(kind: str, column: list[Value]) -> None:
    """The texts of a column are those of its values one by one."""
    assert values.texts(column, kind) == [values.text(value, kind) for value in column]
    assert values.texts(column, kind, "1x:") == [values.text(each, kind, "1x:") for each in column]


class TestNumber:
    def test_counter64_wraps(self) -> None:
        """A 64-bit counter is taken modulo 2^53, so that it stays exact."""
        assert values.number(2**64 - 1) == 2**53 - 1

    def test_opaque(self) -> None:
        """Floats and doubles that net-snmp wraps in an Opaque are numbers."""
        assert values.number(b"\x9f\x78\x04" + struct.pack(">f", 0.5)) == 0.5
        assert values.number(b"\x9f\x79\x08" + struct.pack(">d", 0.1)) == 0.1

    @pytest.mark.parametrize("value", [None, b"", b"12", "1.3.6", b"\x9f\x78\x04\x00"])
    def test_not_a_number(self, value: values.Value) -> None:
        """What is no number is none: it never becomes 0."""
        assert values.number(value) is None

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("12", 12),
            ("-.5", -0.5),
            ("1e3", 1000),
            ("+Inf", float("inf")),
            ("0x1p-2", 0.25),
            ("1e999", None),
            (" 12", None),
            ("1_000", 1000),
            ("_1", None),
            ("1__0", None),
            ("\u0661", None),
            ("", None),
            ("0x12", None),
        ],
    )
    def test_spelled(self, text: str, number: float | None) -> None:
        """A number in a text is read in Go's grammar, which is stricter than Python's."""
        assert values.spelled(text) == number


class TestTimes:
    def test_date_and_time(self) -> None:
        """DateAndTime is Unix time; without a zone it is UTC, a leap second is no error."""
        date = struct.pack(">HBBBBBB", 2024, 2, 29, 12, 0, 60, 0)
        assert values.date_and_time(date) == 1709208060
        assert values.date_and_time(date + b"+\x02\x00") == 1709208060 - 7200
        assert values.date_and_time(date + b"-\x01\x1e") == 1709208060 + 5400

    @pytest.mark.parametrize(
        "value",
        [b"", b"\0" * 8, b"\xff" * 11, 5, None, b"\x07\xe8\x02\x1d\x0c\0\0\0*\0\0"],
    )
    def test_nonsense(self, value: values.Value) -> None:
        """A date that is none gives no sample."""
        assert values.date_and_time(value) is None

    def test_others(self) -> None:
        """NTP timestamps and dates in text are Unix time too."""
        assert values.ntp_time(struct.pack(">II", 2_208_988_801, 2**31)) == 1
        assert values.parsed_date(b"2024-02-29", "%Y-%m-%d") == 1709164800
        assert values.parsed_date(b"2024-02-29 12:00 +0200", "%F %R %z") == 1709200800
        assert values.parsed_date(b"soon", "%Y-%m-%d") is None
