from collections.abc import Mapping

import pytest

from exporter.profiles import functions
from exporter.profiles.values import Value


class Row:
    """A row whose columns are given by name; its texts are those of the row itself."""

    def __init__(
        self, index: str, texts: dict[str, str], columns: dict[str, dict[str, Value]]
    ) -> None:
        self.index, self.texts, self.columns = index, texts, columns

    def text(self, name: str) -> str:
        """Return a text of the row."""
        return self.texts.get(name, "")

    def column(self, name: str) -> Mapping[str, Value]:
        """Return a column."""
        return self.columns.get(name, {})


def interface(subtype: str, port: Value, described: bytes = b"", bridge: int | None = None) -> str:
    """Return the interface of local port 7 on a device with two interfaces."""
    columns: dict[str, dict[str, Value]] = {
        "lldpLocPortId": {"7": port},
        "lldpLocPortDesc": {"7": described},
        "ifName": {"7": b"Ethernet1/7", "10107": b"Gi1/0/7"},
        "ifDescr": {"7": b"Ethernet1/7", "10107": b"GigabitEthernet1/0/7"},
        "dot1dBasePortIfIndex": {"7": bridge},
    }
    texts = {"lldpRemLocalPortNum": "7", "lldpLocPortIdSubtype": subtype}
    return functions.lldp_interface(Row("0.7.1", texts, columns))


class TestDbm:
    @pytest.mark.parametrize(("watts", "dbm"), [(0.001, 0), (0.0005, -3.0103), (0.01, 10)])
    def test_value(self, watts: float, dbm: float) -> None:
        """One milliwatt is 0 dBm."""
        assert functions.dbm(watts) == pytest.approx(dbm, abs=1e-4)

    def test_no_light(self) -> None:
        """A receiver in the dark has no level in decibels."""
        assert functions.dbm(0) is None


class TestLldp:
    def test_interface_by_its_name(self) -> None:
        """The id of the port is the name of the interface."""
        assert interface("5", b"Gi1/0/7", bridge=7) == "Gi1/0/7"

    def test_interface_by_an_abbreviation(self) -> None:
        """NX-OS shortens the names of its interfaces in LLDP."""
        assert interface("5", b"Eth1/7") == "Ethernet1/7"

    def test_interface_by_its_description(self) -> None:
        """An id that is a MAC address names no interface, but the description does."""
        assert interface("3", bytes(6), b"GigabitEthernet1/0/7") == "Gi1/0/7"

    def test_interface_by_its_index(self) -> None:
        """Junos tells the ifIndex as the id of a port."""
        assert interface("7", b"10107", b"to the core") == "Gi1/0/7"

    def test_interface_by_bridge_port(self) -> None:
        """The number of a port is that of a bridge port, before it is an ifIndex."""
        assert interface("3", bytes(6), b"uplink", bridge=10107) == "Gi1/0/7"
        assert interface("3", bytes(6), b"uplink") == "Ethernet1/7"

    def test_unknown_interface(self) -> None:
        """A port that is no interface keeps the id it has."""
        assert interface("5", b"lag 9", bridge=None) == "Ethernet1/7"
        assert functions.lldp_interface(Row("0.9.1", {"lldpRemLocalPortNum": "9"}, {})) == "9"

    @pytest.mark.parametrize(
        ("subtype", "chassis", "expected"),
        [
            ("4", b"\x00\x1c\x73\x00\x00\x01", "00:1C:73:00:00:01"),
            ("5", b"\x01\x0a\x00\x00\x01", "10.0.0.1"),
            ("7", b"switch-7", "switch-7"),
            ("7", b"\x01\x02", "0x0102"),
        ],
    )
    def test_chassis_without_a_name(self, subtype: str, chassis: Value, expected: str) -> None:
        """A neighbour that has no name is told by the id of its chassis, as its subtype says."""
        texts = {"lldpRemChassisIdSubtype": subtype}
        row = Row("0.7.1", texts, {"lldpRemChassisId": {"0.7.1": chassis}})
        assert functions.lldp_neighbor(row) == expected
        row.texts["lldpRemSysName"] = "core1"
        assert functions.lldp_neighbor(row) == "core1"

    @pytest.mark.parametrize(
        ("subtype", "port", "described", "expected"),
        [
            ("5", b"Ethernet1", "to access1", "Ethernet1"),
            ("3", bytes(6), "eth0", "eth0"),
            ("3", bytes(6), "", "00:00:00:00:00:00"),
            ("7", b"513", "ge-0/0/1", "ge-0/0/1"),
            ("7", b"24", "", "24"),
        ],
    )
    def test_port(self, subtype: str, port: Value, described: str, expected: str) -> None:
        """The port is told by its id, unless that is an address or a mere number."""
        texts = {"lldpRemPortIdSubtype": subtype, "lldpRemPortDesc": described}
        row = Row("0.7.1", texts, {"lldpRemPortId": {"0.7.1": port}})
        assert functions.lldp_neighbor_interface(row) == expected
