"""The part of BER (ITU-T X.690) an SNMP agent needs: values out, headers and names in.

Values are returned complete with tag and length, ready to be placed in a variable binding.
"""

from collections.abc import Iterable
from functools import lru_cache

Oid = tuple[int, ...]
Row = tuple[Oid, bytes]  # an object instance and its encoded value

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
COUNTER32, GAUGE32, TIMETICKS, COUNTER64 = 0x41, 0x42, 0x43, 0x46
NO_SUCH_OBJECT, END_OF_MIB_VIEW = b"\x80\x00", b"\x82\x00"
NULL_VALUE = b"\x05\x00"

_SHORT = 0x80  # lengths below this fit into one byte
_LOW_32_BITS = 0xFFFF_FFFF
_LOW_64_BITS = 0xFFFF_FFFF_FFFF_FFFF


class Malformed(ValueError):
    """The bytes are not the BER that an SNMP message is made of."""


def oid(text: str) -> Oid:
    """Return the arcs of a dotted object identifier."""
    return tuple(int(arc) for arc in text.split("."))


def tlv(tag: int, content: bytes) -> bytes:
    """Return content behind its tag and length."""
    size = len(content)
    if size < _SHORT:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length))) + length + content


def _unsigned(tag: int, value: int) -> bytes:
    size = value.bit_length() // 8 + 1
    return bytes((tag, size)) + value.to_bytes(size, "big")


def integer(value: int) -> bytes:
    """Encode an INTEGER, negative ones too."""
    size = (value if value >= 0 else value + 1).bit_length() // 8 + 1
    return bytes((INTEGER, size)) + value.to_bytes(size, "big", signed=True)


def octets(value: bytes | str) -> bytes:
    """Encode an OCTET STRING; text becomes UTF-8."""
    return tlv(OCTET_STRING, value.encode() if isinstance(value, str) else value)


def counter32(value: int) -> bytes:
    """Encode the low 32 bits of a count, which is how a Counter32 wraps."""
    return _unsigned(COUNTER32, value & _LOW_32_BITS)


def counter64(value: int) -> bytes:
    """Encode the low 64 bits of a count."""
    return _unsigned(COUNTER64, value & _LOW_64_BITS)


def gauge32(value: int) -> bytes:
    """Encode a Gauge32, which stays at its maximum rather than wrap (RFC 2578, 7.1.7)."""
    return _unsigned(GAUGE32, min(max(value, 0), _LOW_32_BITS))


def timeticks(seconds: float) -> bytes:
    """Encode seconds as hundredths of a second, modulo 2^32."""
    return _unsigned(TIMETICKS, int(seconds * 100) & _LOW_32_BITS)


@lru_cache(maxsize=65536)
def object_identifier(arcs: Oid) -> bytes:
    """Encode an OBJECT IDENTIFIER; zeroDotZero and longer."""
    content = bytearray(_arc(arcs[0] * 40 + arcs[1]))
    for arc in arcs[2:]:
        content += _arc(arc)
    return tlv(OBJECT_IDENTIFIER, bytes(content))


def _arc(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def sequence(parts: Iterable[bytes]) -> bytes:
    """Encode a SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, b"".join(parts))


def header(data: bytes, at: int) -> tuple[int, int, int]:
    """Return tag, start and end of the content of the element at this offset."""
    try:
        tag, size, start = data[at], data[at + 1], at + 2
        if size >= _SHORT:
            width = size & 0x7F
            if not 1 <= width <= 4:  # noqa: PLR2004 - no datagram is longer than four bytes can say
                raise Malformed("indefinite or absurd length")
            size = int.from_bytes(data[start : start + width], "big")
            start += width
    except IndexError as error:
        raise Malformed("ends in the middle of a header") from error
    if start + size > len(data):
        raise Malformed("ends in the middle of an element")
    return tag, start, start + size


def expect(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return start and end of the content of an element that must have this tag."""
    found, start, end = header(data, at)
    if found != tag:
        raise Malformed(f"tag {found:#04x} where {tag:#04x} belongs")
    return start, end


def read_integer(data: bytes, at: int) -> tuple[int, int]:
    """Return an INTEGER and the offset behind it."""
    start, end = expect(data, at, INTEGER)
    if start == end:
        raise Malformed("an empty INTEGER")
    return int.from_bytes(data[start:end], "big", signed=True), end


def read_oid(data: bytes, at: int) -> tuple[Oid, int]:
    """Return the arcs of an OBJECT IDENTIFIER and the offset behind it."""
    start, end = expect(data, at, OBJECT_IDENTIFIER)
    if start == end or data[end - 1] & 0x80:
        raise Malformed("an object identifier without an end")
    arcs: list[int] = []
    value = 0
    for byte in data[start:end]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:]), end
