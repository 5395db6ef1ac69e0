"""What is read and changed in a PDU (RFC 3416) before gufo-snmp decodes it."""

import secrets
from functools import lru_cache

from exporter.config import Auth
from exporter.protocols.snmp import ber

QUESTIONS = 1024  # kept as they are written: every walk begins as it did the last time
LONG_VALUE = 512  # octets from which a text is cut out where a message is too long
MARK = 16  # octets that stand in for it; random, so that no agent sends them by itself


def head(auth: Auth) -> bytes:
    """Return what stands before the PDU in a v1 or v2c message."""
    return ber.integer(auth.version - 1) + ber.encode(ber.OCTETS, auth.community.encode())


def community(packet: bytes) -> tuple[int, int, int]:
    """Return where the version of a v1 or v2c message starts, its PDU starts, and it ends."""
    start, end = ber.content(packet, 0, len(packet), ber.SEQUENCE)
    _, at = ber.number(packet, start, end)
    _, at = ber.content(packet, at, end, ber.OCTETS)
    return start, at, end


def identity(pdu: bytes) -> int:
    """Return the request-id."""
    return numbered(pdu)[0]


def numbered(pdu: bytes) -> tuple[int, bytes]:
    """Return the request-id, and how it is written."""
    _, at, end = ber.element(pdu, 0, len(pdu))
    number, after = ber.number(pdu, at, end)
    return number, pdu[at:after]


def renumbered(pdu: bytes, number: int) -> bytes:
    """Return the same with another request-id."""
    tag, at, end = ber.element(pdu, 0, len(pdu))
    _, rest = ber.number(pdu, at, end)
    return ber.encode(tag, ber.integer(number) + pdu[rest:end])


def response(number: int) -> bytes:
    """Return an answer that tells nothing: the object 0.0 has no value."""
    binding = ber.encode(ber.SEQUENCE, b"\x06\x01\x00\x05\x00")
    fields = ber.integer(number) + b"\x02\x01\x00\x02\x01\x00"
    return ber.encode(ber.RESPONSE, fields + ber.encode(ber.SEQUENCE, binding))


@lru_cache(QUESTIONS)
def bulk(name: str, repetitions: int) -> bytes:
    """Return what stands behind the request-id where a GETBULK asks for what is after a name."""
    binding = ber.encode(ber.SEQUENCE, ber.name(name) + b"\x05\x00")
    fields = b"\x02\x01\x00" + ber.integer(repetitions)
    return fields + ber.encode(ber.SEQUENCE, binding)


@lru_cache(QUESTIONS)
def start(head: bytes, size: int) -> bytes:
    """Return what stands before the request-id of a GETBULK that ends after so many octets."""
    behind = bytes(size)
    message = ber.encode(ber.SEQUENCE, head + ber.encode(ber.GETBULK, behind))
    return message[:-size]


def shortened(pdu: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the same with marks in place of long texts, and the texts by their marks."""
    texts: dict[bytes, bytes] = {}
    tag, at, end = ber.element(pdu, 0, len(pdu))
    head, bindings = at, b""
    for _ in ("request-id", "error-status", "error-index"):
        _, at = ber.number(pdu, at, end)
    head_end, (at, end) = at, ber.content(pdu, at, end, ber.SEQUENCE)
    while at < end:
        start, stop = ber.content(pdu, at, end, ber.SEQUENCE)
        _, name_end = ber.content(pdu, start, stop, ber.OID)
        kind, value, value_end = ber.element(pdu, name_end, stop)
        if kind == ber.OCTETS and value_end - value > LONG_VALUE:
            texts[mark := secrets.token_bytes(MARK)] = pdu[value:value_end]
            name = pdu[start:name_end]
            bindings += ber.encode(ber.SEQUENCE, name + ber.encode(ber.OCTETS, mark))
        else:
            bindings += pdu[at:stop]
        at = stop
    return ber.encode(tag, pdu[head:head_end] + ber.encode(ber.SEQUENCE, bindings)), texts
