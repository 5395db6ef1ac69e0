"""What `health` entries need and data cannot say: formulas for values, and names from tables.

A formula gets the result of an entry in base units. A label function gets the row of the entry.
"""

import math
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from typing import Protocol

from exporter.metrics import Number
from exporter.profiles import values
from exporter.profiles.values import Value

MAC, NETWORK = "4", "5"  # LldpChassisIdSubtype
PORT_ALIAS, PORT_MAC, PORT_NETWORK, PORT_NAME, PORT_LOCAL = "1", "3", "4", "5", "7"
IPV4_OCTETS, IPV6_OCTETS = 4, 16


class Row(Protocol):
    """One row of a table, and the columns around it."""

    index: str

    def text(self, name: str, /) -> str:
        """Return what a column or label says in this row."""

    def column(self, name: str, /) -> Mapping[str, Value]:
        """Return a column by its index."""


def dbm(watts: Number) -> float | None:
    """Return an optical power in decibels over one milliwatt; no light has no logarithm."""
    return 10 * math.log10(watts * 1000) if watts > 0 else None


def lldp_interface(row: Row) -> str:
    """Return the ifName of the port on which an LLDP neighbour was heard.

    LLDP numbers ports as it likes. The id and description of the local port are looked for among
    the names of interfaces; else the number is that of a bridge port or of an interface.
    """
    number, kind = row.text("lldpRemLocalPortNum"), row.text("lldpLocPortIdSubtype")
    told = lldp_id(row.column("lldpLocPortId").get(number), kind, PORT_MAC, PORT_NETWORK)
    described = values.text(row.column("lldpLocPortDesc").get(number), "DisplayString").strip()
    for text in (told, described):
        if text and (found := _named(text, row)):
            return found
    names = row.column("ifName")
    at = [told] if kind == PORT_LOCAL else []
    at += [values.text(row.column("dot1dBasePortIfIndex").get(number), ""), number]
    found = next((name for i in at if (name := values.text(names.get(i), "DisplayString"))), "")
    return found or told or described or number


def _named(text: str, row: Row) -> str:
    """Return the ifName of the only interface that a text names, in full or abbreviated."""
    shown = {i: values.text(v, "DisplayString") for i, v in row.column("ifName").items()}
    if text in shown.values():
        return text
    described = row.column("ifDescr")
    alike = {
        name
        for index, name in shown.items()
        if values.text(described.get(index), "DisplayString") == text
        or abbreviates(text, name)
        or abbreviates(name, text)
    }
    return alike.pop() if len(alike) == 1 else ""


def abbreviates(short: str, long: str) -> bool:
    """Return whether one name of an interface shortens another, as `Eth1/2` does `Ethernet1/2`."""
    a, b = (re.fullmatch(r"([A-Za-z]{2,})(\d.*)", name) for name in (short, long))
    return bool(a and b and a[2] == b[2] and b[1].lower().startswith(a[1].lower()))


def lldp_id(value: Value, subtype: str, mac: str, network: str) -> str:
    """Return a chassis or port id as text; `mac` and `network` are its subtypes of these kinds."""
    if not isinstance(value, bytes):
        return values.text(value, "")
    if subtype == mac:
        return values.text(value, "PhysAddress48")
    if subtype == network and len(value) - 1 in {IPV4_OCTETS, IPV6_OCTETS}:
        # The first octet is the IANA number of the address family.
        kind = "InetAddressIPv4" if len(value) - 1 == IPV4_OCTETS else "InetAddressIPv6"
        return values.text(value[1:], kind)
    shown = values.text(value, "DisplayString").strip("\0 \t\r\n")
    return shown if shown.isprintable() else values.text(value, "OctetString")


def lldp_neighbor(row: Row) -> str:
    """Return the name of an LLDP neighbour, or the id of its chassis."""
    return row.text("lldpRemSysName") or _of_row(row, "lldpRemChassisId", MAC, NETWORK)


def lldp_neighbor_interface(row: Row) -> str:
    """Return the port of an LLDP neighbour: its id, or its description where the id names none."""
    kind, described = row.text("lldpRemPortIdSubtype"), row.text("lldpRemPortDesc")
    told = _of_row(row, "lldpRemPortId", PORT_MAC, PORT_NETWORK)
    nameless = kind in {PORT_MAC, PORT_NETWORK} or (kind == PORT_LOCAL and told.isdecimal())
    return (described if nameless else "") or told or described


def _of_row(row: Row, name: str, mac: str, network: str) -> str:
    return lldp_id(row.column(name).get(row.index), row.text(name + "Subtype"), mac, network)


def ospfv3_router_id(row: Row) -> str:
    """Return the router id of an OSPFv3 neighbour, a number there, as OSPF writes it."""
    return str(IPv4Address(int(row.text("ospfv3NbrRtrId")) % 2**32))


FORMULAS: dict[str, Callable[[Number], Number | None]] = {"dbm": dbm}
LABELS: dict[str, Callable[[Row], str]] = {
    "lldp_interface": lldp_interface,
    "lldp_neighbor": lldp_neighbor,
    "lldp_neighbor_interface": lldp_neighbor_interface,
    "ospfv3_router_id": ospfv3_router_id,
}
