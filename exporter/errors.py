"""What can go wrong while asking a device, as one tree.

ExporterError
├── BadRequest           the scrape request itself is wrong (HTTP 400)
├── UnknownDevice        no such device in the inventory (HTTP 404)
├── Unavailable          the exporter cannot serve this now (HTTP 503)
└── ProtocolError        the device could not be asked; names the target, never a secret
    ├── UnresolvedName   the host name has no address
    ├── LocalFault       this host is at fault: no socket to be had, no such source address
    ├── Unreachable      no answer, or the port is closed
    ├── Refusal          the agent says that it will not answer this (SNMPv3)
    │   └── WrongCredentials … because user, password or security level is wrong
    ├── NotPermitted     this process lacks the right to ask
    ├── BrokenOff        the agent answered with an error in the middle of what it has
    ├── Unidentified     the device does not say what it is
    ├── Undecodable      answers came, and none could be read
    ├── NotIncreasing    the agent walks in circles
    ├── Endless          the table has no end
    ├── OutOfTime        the scrape's deadline passed
    ├── Busy             other scrapes of the device took all the time there was
    └── LeftAlone        the device was silent lately, and is not asked again yet
"""

from typing import Self


class ExporterError(Exception):
    """Anything this exporter reports to the one who scrapes it."""


class BadRequest(ExporterError):
    """The parameters of the request are wrong."""


class UnknownDevice(ExporterError):
    """The inventory has no device of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown device '{name}'")


class Unavailable(ExporterError):
    """The exporter has too much to do, or does not know its devices yet."""


class ProtocolError(ExporterError):
    """A device could not be asked; `module` is what it was asked for, where that is known."""

    reason = "protocol_error"

    def __init__(self, target: str, detail: str) -> None:
        super().__init__(target, detail)
        self.target = target
        self.detail = detail
        self.module = ""

    def alone(self) -> Self:
        """Return the same without its traceback, whose frames would keep sockets open."""
        copy = type(self)(self.target, self.detail)
        copy.module = self.module
        return copy

    def __str__(self) -> str:
        where = f"{self.target}: module {self.module}" if self.module else self.target
        return f"{where}: {self.detail}"


class UnresolvedName(ProtocolError):
    """The host name of the target has no address."""

    reason = "unresolved_name"


class LocalFault(ProtocolError):
    """The host that asks is at fault; nothing is known of the target."""

    reason = "local_fault"


class Unreachable(ProtocolError):
    """The target did not answer."""

    reason = "unreachable"


class Refusal(ProtocolError):
    """The agent says why it does not answer, such as a context it does not have."""

    reason = "refused"


class WrongCredentials(Refusal):
    """The agent refuses the user, its keys, or its security level."""

    reason = "wrong_credentials"


class BrokenOff(ProtocolError):
    """The agent answered with an error where values were still to come."""

    reason = "broken_off"


class NotPermitted(ProtocolError):
    """The operating system does not let this process ask in that way."""

    reason = "not_permitted"


class Unidentified(ProtocolError):
    """The device answers, but does not say what it is."""

    reason = "unidentified"


class Undecodable(ProtocolError):
    """The target answered, but with nothing that is SNMP."""

    reason = "undecodable"


class NotIncreasing(ProtocolError):
    """The agent returned an OID that does not follow the one before (RFC 3416, 4.2.2)."""

    reason = "not_increasing"


class Endless(ProtocolError):
    """A walk returned more values than any real table has."""

    reason = "endless"


class OutOfTime(ProtocolError):
    """The deadline of the scrape passed before the target had answered everything."""

    reason = "out_of_time"


class Busy(ProtocolError):
    """Other scrapes of the same device took all the time this one had."""

    reason = "busy"


class LeftAlone(ProtocolError):
    """The circuit of the device is open: it did not answer lately, and is not asked again yet."""

    reason = "left_alone"
