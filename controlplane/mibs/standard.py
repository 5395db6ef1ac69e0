"""What every MIB builds on, so that nobody must collect the standard ones.

Roots of the tree (RFC 2578), and textual conventions of SNMPv2-TC (RFC 2579), SNMP-FRAMEWORK-MIB
(RFC 3411), INET-ADDRESS-MIB (RFC 4001), HCNUM-TC (RFC 2856), IF-MIB (RFC 2863).
"""

from dataclasses import dataclass, field, replace

SMI = frozenset({"SNMPv2-SMI", "SNMPv2-CONF", "RFC1155-SMI", "RFC1065-SMI", "RFC-1212", "RFC-1215"})
"""MIBs that define the language itself; their files are never needed."""


@dataclass(frozen=True, slots=True)
class Type:
    """A syntax followed down to its base; `conventions` are the names on the way."""

    base: str
    names: dict[int, str] = field(default_factory=dict)
    size: int = 0
    hint: str = ""
    conventions: tuple[str, ...] = ()

    def named(self, convention: str, hint: str = "") -> "Type":
        """Return the type under the name of a convention, which may bring a display hint."""
        return replace(self, hint=hint or self.hint, conventions=(convention, *self.conventions))


ROOTS = {
    "ccitt": "0",
    "iso": "1",
    "org": "1.3",
    "dod": "1.3.6",
    "internet": "1.3.6.1",
    "directory": "1.3.6.1.1",
    "mgmt": "1.3.6.1.2",
    "mib-2": "1.3.6.1.2.1",
    "system": "1.3.6.1.2.1.1",
    "interfaces": "1.3.6.1.2.1.2",
    "transmission": "1.3.6.1.2.1.10",
    "snmp": "1.3.6.1.2.1.11",
    "experimental": "1.3.6.1.3",
    "private": "1.3.6.1.4",
    "enterprises": "1.3.6.1.4.1",
    "security": "1.3.6.1.5",
    "snmpV2": "1.3.6.1.6",
    "snmpDomains": "1.3.6.1.6.1",
    "snmpProxys": "1.3.6.1.6.2",
    "snmpModules": "1.3.6.1.6.3",
    "zeroDotZero": "0.0",
}

_INTEGER = Type("INTEGER")
_OCTETS = Type("OCTET STRING")

_TYPES = {
    "DisplayString": replace(_OCTETS, hint="255a"),
    "SnmpAdminString": replace(_OCTETS, hint="255t"),
    "PhysAddress": replace(_OCTETS, hint="1x:"),
    "MacAddress": replace(_OCTETS, hint="1x:", size=6),
    "DateAndTime": replace(_OCTETS, hint="2d-1d-1d,1d:1d:1d.1d,1a1d:1d"),
    "SnmpEngineID": _OCTETS,
    "TAddress": _OCTETS,
    "InetAddress": _OCTETS,
    "InetAddressIPv4": replace(_OCTETS, size=4),
    "InetAddressIPv6": replace(_OCTETS, size=16),
    "TruthValue": replace(_INTEGER, names={1: "true", 2: "false"}),
    "RowStatus": replace(
        _INTEGER,
        names={
            1: "active",
            2: "notInService",
            3: "notReady",
            4: "createAndGo",
            5: "createAndWait",
            6: "destroy",
        },
    ),
    "StorageType": replace(
        _INTEGER,
        names={1: "other", 2: "volatile", 3: "nonVolatile", 4: "permanent", 5: "readOnly"},
    ),
    "InetAddressType": replace(
        _INTEGER,
        names={0: "unknown", 1: "ipv4", 2: "ipv6", 3: "ipv4z", 4: "ipv6z", 16: "dns"},
    ),
    "TestAndIncr": _INTEGER,
    "TimeInterval": _INTEGER,
    "InterfaceIndex": _INTEGER,
    "InterfaceIndexOrZero": _INTEGER,
    "InetAddressPrefixLength": Type("Unsigned32"),
    "InetPortNumber": Type("Unsigned32"),
    "InetAutonomousSystemNumber": Type("Unsigned32"),
    "TimeStamp": Type("TimeTicks"),
    "AutonomousType": Type("OBJECT IDENTIFIER"),
    "InstancePointer": Type("OBJECT IDENTIFIER"),
    "VariablePointer": Type("OBJECT IDENTIFIER"),
    "RowPointer": Type("OBJECT IDENTIFIER"),
    "TDomain": Type("OBJECT IDENTIFIER"),
    "CounterBasedGauge64": Type("Counter64"),
    "ZeroBasedCounter64": Type("Counter64"),
}
TYPES = {name: kind.named(name) for name, kind in _TYPES.items()}
