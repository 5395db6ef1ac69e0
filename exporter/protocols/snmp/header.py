"""The header of a v1 or v2c response in BER (X.690), which gufo-snmp keeps to itself.

It is also where garbage is found out before gufo-snmp's decoder sees it.
"""

from exporter.protocols.snmp import ber
from exporter.protocols.snmp.ber import Malformed

LARGEST = 4080  # octets of a message that gufo-snmp can read or write
SHORTEST_PAGE = 256  # octets of a PDU whose lengths are certain to take three
IDENTITY_AT, BINDINGS_AFTER = 4, 10  # octets of a usual PDU before its request-id, and after
CONTEXT = 0x80  # class of the tags of PDUs
TOO_BIG, NO_SUCH_NAME = 1, 2
STATUSES = (  # error-status, RFC 3416 section 3
    *("noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess"),
    *("wrongType", "wrongLength", "wrongEncoding", "wrongValue", "noCreation"),
    *("inconsistentValue", "resourceUnavailable", "commitFailed", "undoFailed"),
    *("authorizationError", "notWritable", "inconsistentName"),
)


class Unexpected(Malformed):
    """A message holds no response but another kind of PDU."""


class Oversize(Exception):
    """A response is larger than gufo-snmp can read; the agent can be asked for less."""


def usual_status(packet: bytes, head: bytes) -> int | None:
    """Return the error-status of a response as most agents write it; None where it is unusual.

    `head` is what their messages hold before the PDU. All lengths take three octets, as they do in
    whole pages, so that every field but one has its place: comparing is ten times as fast as
    parsing, and there are many pages.
    """
    size, rest = len(packet), len(packet) - len(head) - 8
    if rest < SHORTEST_PAGE:
        return None
    lengths = (size - 4).to_bytes(2, "big"), rest.to_bytes(2, "big")
    start = b"\x30\x82" + lengths[0] + head + b"\xa2\x82" + lengths[1] + b"\x02"
    if not packet.startswith(start):
        return None
    return _usual(packet, len(start) + 1 + packet[len(start)])


def usual_answer(pdu: bytes, identity: bytes) -> int | None:
    """Return the same of a response to the request with that request-id, as it is written."""
    size = len(pdu)
    if not SHORTEST_PAGE <= size <= LARGEST:
        return None
    start = b"\xa2\x82" + (size - 4).to_bytes(2, "big") + identity
    return _usual(pdu, len(start)) if pdu.startswith(start) else None


def _usual(packet: bytes, at: int) -> int | None:
    """Return the error-status at `at`, if it and all behind it are written as usual."""
    fields = packet[at : at + 10]
    bindings = b"\x30\x82" + max(len(packet) - at - 10, 0).to_bytes(2, "big")
    if fields[:2] != b"\x02\x01" or fields[3:5] != b"\x02\x01" or fields[6:] != bindings:
        return None
    return fields[2] if fields[2] < ber.LONG else None


def error_status(packet: bytes) -> int:
    """Return the error-status of a response; raises Malformed where this is no SNMP message.

    Raises Oversize where it is one that cannot be decoded.
    """
    size = len(packet)
    at, end = ber.content(packet, 0, size, ber.SEQUENCE)
    _, at = ber.number(packet, at, end)
    _, at = ber.content(packet, at, end, ber.OCTETS)
    status = pdu_status(packet, at, end)
    if size > LARGEST:
        raise Oversize
    return status


def name_of(status: int) -> str:
    """Return how an error-status is called."""
    return STATUSES[status] if 0 <= status < len(STATUSES) else f"error-status {status}"


def pdu_status(packet: bytes, at: int, end: int) -> int:
    """Return the error-status of the PDU at `at`; raises Malformed where there is none."""
    tag, at, end = ber.element(packet, at, end)
    if tag != ber.RESPONSE:
        kind = Unexpected if tag & CONTEXT else Malformed
        raise kind(f"tag {tag:#x} where a response belongs")
    _, at = ber.number(packet, at, end)
    status, at = ber.number(packet, at, end)
    _, at = ber.number(packet, at, end)
    ber.content(packet, at, end, ber.SEQUENCE)
    return status
