"""A page of a walk read by the layout that it had the last time.

From scrape to scrape a device answers with the same OIDs, and mostly with values of the same types
and lengths: then all octets but those of the values are the same. One comparison says so, and one
call reads the values, which costs a fifth of decoding.
"""

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from exporter.profiles.values import Value
from exporter.protocols.snmp import ber
from exporter.protocols.snmp.ber import Malformed

# Octets of a value by the tag of its type (RFC 2578 section 7.1): what is longer is no such value,
# and the decoder has its own way with it. INTEGER, Counter32, Gauge32, TimeTicks, Counter64.
WIDEST = {ber.INTEGER: 4, 0x41: 4, 0x42: 4, 0x43: 4, 0x46: 8}
WIDTHS = (0, 1, 2, 4, 4, 8, 8, 8, 8)  # octets that are read for an integer of so many
CODES = {(1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q"} | {
    (1, True): "b",
    (2, True): "h",
    (4, True): "i",
    (8, True): "q",
}
SIGN = 0x80
# What the decoder makes a value of. Others, as noSuchInstance, it leaves out, and then a value is
# not at the place of its object.
READ = frozenset({ber.INTEGER, ber.OCTETS, ber.OID, *range(0x40, 0x45), 0x46, 0x47})


@dataclass(frozen=True, slots=True)
class Field:
    """An integer of a page: where it is, and how it is read up to `stop`.

    `kept` are the bits of its first octet that are as fixed as all around it: the sign. No value
    belongs to what stands behind the end of the subtree: its code is empty.
    """

    place: int
    start: int
    stop: int
    code: str
    kept: int

    @property
    def width(self) -> int:
        """The octets that are read."""
        return struct.calcsize(">" + self.code)

    @property
    def wide(self) -> bool:
        """Whether they are more than the integer has."""
        return self.width > self.stop - self.start


@dataclass(frozen=True, slots=True)
class Page:
    """What stays the same of an answer, as a number, and how its integers are read.

    `values` are all of the page, with the integers of the last time at `places`; none other may
    differ from them. There are none where all are integers. The request-id is at `identity_at`.
    `wide` says that some are read with fixed octets in front of them, which must be zeros then.
    """

    size: int
    identity_at: int
    mask: int
    fixed: int
    wide: bool
    fields: struct.Struct
    values: tuple[Value, ...]
    places: tuple[int, ...]

    def octets(self) -> int:
        """Return how much memory it takes, at most."""
        parts = (self, self.mask, self.fixed, self.fields, self.values, *self.values, self.places)
        return sum(map(sys.getsizeof, parts))

    def read(self, answer: bytes, identity: bytes) -> list[Value] | None:
        """Return the values of an answer with this layout and that request-id, as it is written.

        None where it is another.
        """
        at = self.identity_at
        if len(answer) != self.size or answer[at : at + len(identity)] != identity:
            return None
        varied = int.from_bytes(answer, "big") ^ self.fixed
        if varied & self.mask:
            return None
        octets = varied.to_bytes(self.size, "big") if self.wide else answer
        numbers = self.fields.unpack_from(octets)
        if not self.values:
            return list(numbers)
        found = list(self.values)
        for place, number in zip(self.places, numbers, strict=True):
            found[place] = number
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer without an error: the octets in which its request-id and its bindings stand.

    `free` is how many more its datagram could have had.
    """

    free: int
    octets: bytes
    identity_at: int
    identity_end: int
    bindings_at: int


def page(answer: Answer, names: Sequence[str], values: Sequence[Value]) -> Page | None:
    """Return the layout of an answer that was decoded to this; None where it is unusual.

    What stands behind the last of the values is no part of the page, but its names may not change
    either.
    """
    octets = answer.octets
    try:
        fields = _fields(answer, names, values)
    except Malformed:
        return None
    mask, codes, at = bytearray(b"\xff" * len(octets)), [">"], 0
    mask[answer.identity_at : answer.identity_end] = bytes(answer.identity_end - answer.identity_at)
    for each in fields:
        mask[each.start : each.stop] = bytes(each.stop - each.start)
        mask[each.start] = each.kept
        if each.code:
            codes.append(f"{each.stop - each.width - at}x{each.code}")
            at = each.stop
    masked = int.from_bytes(mask, "big")
    places = [each.place for each in fields if each.code]
    whole = len(places) == len(values)
    made = Page(
        len(octets),
        answer.identity_at,
        masked,
        int.from_bytes(octets, "big") & masked,
        any(each.wide for each in fields),
        struct.Struct("".join(codes)),
        () if whole else tuple(values),
        () if whole else tuple(places),
    )
    # What the layout reads must be what the decoder made of the same octets.
    identity = octets[answer.identity_at : answer.identity_end]
    return made if made.read(octets, identity) == list(values) else None


def _fields(answer: Answer, names: Sequence[str], values: Sequence[Value]) -> list[Field]:
    """Return the integers among the bindings.

    Raises Malformed where the decoder would not make a value of each before the last.
    """
    octets, at, end = answer.octets, answer.bindings_at, len(answer.octets)
    fields: list[Field] = []
    place, name = 0, b""
    while at < end:
        start, stop = ber.content(octets, at, end, ber.SEQUENCE)
        _, after = ber.content(octets, start, stop, ber.OID)
        tag, first, behind = ber.element(octets, after, stop)
        inside = place < len(values)
        if inside and tag not in READ:
            raise Malformed(f"tag {tag:#x} where a value belongs")
        if tag in WIDEST and (not inside or type(values[place]) is int):
            field = _field(octets, place, tag, (first, behind))
            if field is not None:
                fields.append(field if inside else replace(field, code=""))
        if inside:
            name = octets[start:after]
        at, place = stop, place + 1
    if place < len(values) or (names and name != ber.name(names[-1])):
        raise Malformed("the names are others")
    return fields


def _field(octets: bytes, place: int, tag: int, where: tuple[int, int]) -> Field | None:
    """Return how to read an integer; None where it stays as it is, as one of an unusual length."""
    (start, stop), signed = where, tag == ber.INTEGER
    if not signed and stop - start > 1 and not octets[start]:
        start += 1  # the zero that keeps it from being negative is as fixed as its length
    size = stop - start
    if not 0 < size <= WIDEST[tag]:
        return None
    width = WIDTHS[size]
    if size == width:
        return Field(place, start, stop, CODES[width, signed], 0)
    if signed and octets[start] & SIGN:
        return None
    return Field(place, start, stop, CODES[width, False], SIGN if start == where[0] else 0)
