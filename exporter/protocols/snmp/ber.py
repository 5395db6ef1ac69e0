"""Just enough BER (X.690) for what stands around a PDU: lengths, tags, small integers."""

SEQUENCE, INTEGER, OCTETS, OID = 0x30, 0x02, 0x04, 0x06
RESPONSE, GETBULK = 0xA2, 0xA5
LONG = 0x80  # a length of more than seven bits says first how many octets it takes
WIDEST = 4  # octets of a length; 4 GB is more than any message

WIDEST_ARC = 2**32 + 79  # RFC 2578 section 7.1.3; the first one holds two arcs


class Malformed(ValueError):
    """The bytes are not the BER they should be."""


def encode(tag: int, content: bytes) -> bytes:
    """Return one element."""
    size = len(content)
    if size < LONG:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, LONG | len(length))) + length + content


def integer(number: int) -> bytes:
    """Return an INTEGER."""
    return encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return the tag of the element at `at`, and where its content starts and ends.

    Raises Malformed where it does not end by `end`.
    """
    if at + 2 > end:
        raise Malformed("an element is cut off")
    size, start = data[at + 1], at + 2
    if size & LONG:
        width = size & ~LONG
        if not 0 < width <= WIDEST:
            raise Malformed("a length is indefinite or absurd")
        size, start = int.from_bytes(data[start : start + width], "big"), start + width
    if start + size > end:
        raise Malformed("an element is cut off")
    return data[at], start, start + size


def content(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `at` starts and ends; it must have that tag."""
    start = at + 2
    # The short form first: most elements have it, and a call less is what counts here.
    if start <= end and data[at] == tag and data[at + 1] < LONG:
        stop = start + data[at + 1]
        if stop <= end:
            return start, stop
    found, start, stop = element(data, at, end)
    if found != tag:
        raise Malformed(f"tag {found:#x} where {tag:#x} belongs")
    return start, stop


def number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the INTEGER at `at`, and where it ends."""
    start = at + 2
    if start > end or data[at] != INTEGER or not 0 < (size := data[at + 1]) <= WIDEST + 1:
        raise Malformed("an integer is missing, empty or too long")
    stop = start + size
    if stop > end:
        raise Malformed("an integer is cut off")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def name(dotted: str) -> bytes:
    """Return the OBJECT IDENTIFIER that is written with dots."""
    first, second, *arcs = map(int, dotted.split("."))
    octets = bytearray()
    for arc in (40 * first + second, *arcs):
        groups = range((max(arc.bit_length(), 1) - 1) // 7 * 7, 0, -7)
        octets.extend(arc >> shift & ~LONG & 0xFF | LONG for shift in groups)
        octets.append(arc & ~LONG & 0xFF)
    return encode(OID, bytes(octets))


def oid(data: bytes, at: int, end: int) -> tuple[int, ...]:
    """Return the OBJECT IDENTIFIER at `at`."""
    start, stop = content(data, at, end, OID)
    if start == stop:
        raise Malformed("an OID is empty")
    arcs, arc = [], 0
    for octet in data[start:stop]:
        arc = arc << 7 | octet & ~LONG
        if arc > WIDEST_ARC:
            raise Malformed("an arc of an OID is too large")
        if not octet & LONG:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2) if arcs else 0
    return (first, arcs[0] - 40 * first, *arcs[1:]) if arcs else ()
