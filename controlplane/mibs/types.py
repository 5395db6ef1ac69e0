"""Which type of snmp.yml shows a value or an index of an SMI type best."""

import re
from typing import Any

from controlplane.mibs.standard import Type

TYPES = frozenset(
    {
        "gauge",
        "counter",
        "OctetString",
        "DisplayString",
        "PhysAddress48",
        "DateAndTime",
        "NTPTimeStamp",
        "Float",
        "Double",
        "InetAddressIPv4",
        "InetAddressIPv6",
        "InetAddress",
        "EnumAsInfo",
        "EnumAsStateSet",
        "Bits",
    }
)
BASES = {
    "INTEGER": "gauge",
    "Unsigned32": "gauge",
    "Gauge32": "gauge",
    "TimeTicks": "gauge",
    "Integer64": "gauge",
    "Unsigned64": "gauge",
    "Counter32": "counter",
    "Counter64": "counter",
    "BITS": "Bits",
    "IpAddress": "InetAddressIPv4",
    "OCTET STRING": "OctetString",
    "OBJECT IDENTIFIER": "OctetString",
    "Opaque": "OctetString",
}
# Conventions that say more than their base.
KINDS = {
    "PhysAddress": "PhysAddress48",
    "MacAddress": "PhysAddress48",
    "DateAndTime": "DateAndTime",
    "InetAddressIPv4": "InetAddressIPv4",
    "InetAddressIPv6": "InetAddressIPv6",
    "Float": "Float",
    "Double": "Double",
}
# An address or id whose kind the column before it tells.
TOLD = {"InetAddress": "InetAddressType", "LldpPortId": "LldpPortIdSubtype"}
TEXT = re.compile(r"\d*[at]")
MAC = 6  # octets


class Unusable(Exception):
    """An object that a sample cannot be made of."""


def metric_type(kind: Type) -> str:
    """Return the type of snmp.yml that shows a value of an SMI type best."""
    for convention in kind.conventions:
        if convention in KINDS:
            return KINDS[convention]
    if kind.base == "OCTET STRING" and TEXT.fullmatch(kind.hint):
        return "DisplayString"
    if kind.base not in BASES:
        raise Unusable(f"{kind.base} is no type of SNMP")
    return BASES[kind.base]


def index(name: str, kind: Type, *, implied: bool) -> dict[str, Any]:
    """Return the entry of snmp.yml for one index."""
    shown = metric_type(kind)
    if kind.base in {"OBJECT IDENTIFIER", "Opaque", "BITS"}:
        raise Unusable(f"its index {name} is of type {kind.base}")
    if shown == "PhysAddress48" and kind.size != MAC:
        shown = "OctetString"
    if shown in {"counter", "DateAndTime"}:
        shown = "gauge" if shown == "counter" else "OctetString"
    entry: dict[str, Any] = {"labelname": name.replace("-", "_"), "type": shown}
    if kind.base == "OCTET STRING" and shown not in {"InetAddressIPv4", "InetAddressIPv6"}:
        if kind.size:
            entry["fixed_size"] = kind.size
        elif implied:
            entry["implied"] = True
    if kind.names:
        entry["enum_values"] = dict(sorted(kind.names.items()))
    return entry
