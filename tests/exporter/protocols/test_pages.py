"""Pages read by their layout are what the decoder makes of them, or nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from gufo.snmp._fast import GetIter, SnmpError, SnmpV2cClientSocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.protocols.snmp import ber, pages, pdus
from exporter.protocols.snmp.pages import Answer
from exporter.protocols.snmp.relay import NOWHERE, paired
from tests.exporter.agent import Oid, Request, Value, encode, integer, octets, parse

COLUMN = "1.3.6.1.2.1.2.2.1.10"
BEYOND = "1.3.6.1.2.1.2.2.1.11"
IDENTITY = b"\x02\x04\x40\x00\x00\x01"
OTHER = b"\x02\x04\x40\x00\x00\x02"

Page = list[tuple[str, Any] | None]

thorough = settings(
    max_examples=1500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

edges = [0, 1, 127, 128, 255, 256, 2**15, 2**16, 2**23, 2**24, 2**31, 2**32 - 1]
wide = [*edges, 2**39, 2**40, 2**47, 2**48, 2**55, 2**56, 2**63, 2**64 - 1]
counters = st.builds(
    integer, st.one_of(st.sampled_from(edges), st.integers(0, 2**32 - 1)), st.just(0x41)
)
large = st.builds(
    integer, st.one_of(st.sampled_from(wide), st.integers(0, 2**64 - 1)), st.just(0x46)
)
signed = st.builds(integer, st.integers(-(2**31), 2**31 - 1))
raw = st.builds(Value, st.sampled_from([2, 0x41, 0x43, 0x46]), st.binary(min_size=1, max_size=9))
texts = st.builds(octets, st.binary(max_size=8))
values = st.one_of(counters, large, signed, raw, texts)
rows = st.lists(values, min_size=1, max_size=30)
changes = st.lists(st.tuples(st.integers(0, 29), values), max_size=4)
damage = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3)


class Decoder:
    """gufo-snmp's decoder, fed with messages of ours."""

    def __init__(self) -> None:
        self.codec = SnmpV2cClientSocket(NOWHERE, "public", 0, 0, 0, 0)
        self.pair = paired(self.codec)

    def page(self, bindings: bytes) -> Page:
        """Return what is in bindings."""
        self.codec.send_get_bulk(cursor := GetIter(COLUMN, 50))
        request = self.pair.recv(4096)
        number = pdus.numbered(request[pdus.community(request)[1] :])[1]
        body = number + b"\x02\x01\x00\x02\x01\x00" + ber.encode(ber.SEQUENCE, bindings)
        head = b"\x02\x01\x01\x04\x06public"
        self.pair.send(ber.encode(ber.SEQUENCE, head + ber.encode(ber.RESPONSE, body)))
        return list(self.codec.recv_get_bulk(cursor))


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder()
    yield made
    made.pair.close()


def answer_of(bindings: bytes, identity: bytes = IDENTITY) -> Answer:
    """Return an answer with these bindings."""
    before = identity + b"\x02\x01\x00\x02\x01\x00"
    body = before + ber.encode(ber.SEQUENCE, bindings)
    octets = ber.encode(ber.RESPONSE, body)
    start = len(octets) - len(body)
    return Answer(len(octets), octets, start, start + len(identity), len(octets) - len(bindings))


def learned(bindings: bytes, page: Page) -> pages.Page | None:
    """Return the layout of bindings decoded to a page."""
    found = [binding for binding in page if binding is not None]
    names, values = [name for name, _ in found], [value for _, value in found]
    return pages.page(answer_of(bindings), names, values)


def read(layout: pages.Page, bindings: bytes) -> list[object] | None:
    """Return the values that a layout finds in bindings."""
    found = layout.read(answer_of(bindings, OTHER).octets, OTHER)
    return None if found is None else list(found)


def values_of(page: Page) -> list[object]:
    return [binding[1] for binding in page if binding is not None]


def bindings_of(found: list[Value], behind: int = 0) -> bytes:
    """Return bindings of a column, the last of them of one behind it."""
    inside = len(found) - behind
    table: list[tuple[Oid, Value]] = [
        ((*parse(COLUMN if row < inside else BEYOND), row + 1), value)
        for row, value in enumerate(found)
    ]
    packet = encode(Request(1, b"public", 0, 7, 0, 0, []), table)
    _, at, end = pdus.community(packet)
    _, at, end = ber.element(packet, at, end)
    for _ in range(3):
        _, at = ber.number(packet, at, end)
    start, stop = ber.content(packet, at, end, ber.SEQUENCE)
    return packet[start:stop]


@thorough
@given(rows, changes, damage, st.integers(0, 10))
def test_read_as_decoded(
    decoder: Decoder,
    before: list[Value],
    changed: list[tuple[int, Value]],
    spoilt: list[tuple[float, int]],
    behind: int,
) -> None:
    """Whatever changes from one page to the next, a layout reads what is there, or nothing."""
    first = bindings_of(before, behind)
    try:
        page = decoder.page(first)
    except SnmpError:
        return
    if (layout := learned(first, page)) is None:
        return
    after = list(before)
    for row, value in changed:
        if row < len(after):
            after[row] = value
    second = bytearray(bindings_of(after, behind))
    for place, octet in spoilt:
        second[int(place * (len(second) - 1))] = octet
    found = read(layout, bytes(second))
    if found is not None:
        now = decoder.page(bytes(second))
        assert found == values_of(now)
        assert [binding and binding[0] for binding in now] == [
            binding and binding[0] for binding in page
        ]


@thorough
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30), st.integers(0, 2**64 - 1))
def test_new_values(decoder: Decoder, before: list[int], noise: int) -> None:
    """Counters that grow within their lengths are read without decoding."""
    now = [number ^ (noise & ((1 << max(number.bit_length() - 2, 0)) - 1)) for number in before]
    first, second = (
        bindings_of([integer(number, 0x46) for number in each]) for each in (before, now)
    )
    layout = learned(first, decoder.page(first))

    assert layout is not None
    assert read(layout, second) == now == values_of(decoder.page(second))


same_size = st.integers(1, 9).flatmap(
    lambda size: st.tuples(*[st.binary(min_size=size, max_size=size)] * 2)
)


@thorough
@given(st.sampled_from([2, 0x41, 0x43, 0x46]), same_size)
def test_any_octets(decoder: Decoder, tag: int, contents: tuple[bytes, bytes]) -> None:
    """Whatever octets an integer is written with, it is read as the decoder reads it, or not."""
    first, second = (bindings_of([Value(tag, content)] * 3) for content in contents)
    try:
        layout = learned(first, decoder.page(first))
    except SnmpError:
        return
    if layout is not None and (found := read(layout, second)) is not None:
        assert found == values_of(decoder.page(second))


@pytest.mark.parametrize("tag", [0x05, 0x80, 0x81, 0x82])
def test_left_out(decoder: Decoder, tag: int) -> None:
    """Where the decoder leaves an object out, its neighbour's value is not taken for its own."""
    bindings = bindings_of([integer(1), Value(tag, b""), integer(1), integer(1)])

    assert learned(bindings, decoder.page(bindings)) is None


@thorough
@given(rows, st.integers(0, 10), st.floats(0, 1), st.integers(1, 255))
def test_around_values(
    decoder: Decoder, found: list[Value], behind: int, place: float, flipped: int
) -> None:
    """An answer is read only where all octets around the values, and its id, are as they were."""
    bindings = bindings_of(found, behind)
    try:
        layout = learned(bindings, decoder.page(bindings))
    except SnmpError:
        return
    answer = answer_of(bindings, OTHER)
    if layout is None:
        return
    octets = bytearray(answer.octets)
    octets[int(place * (answer.bindings_at - 1))] ^= flipped

    assert layout.read(answer.octets, OTHER) is not None
    assert layout.read(answer.octets, IDENTITY) is None
    assert layout.read(bytes(octets), OTHER) is None
    assert layout.read(answer.octets[:-1], OTHER) is None
    assert layout.read(answer.octets + b"\x00", OTHER) is None


@thorough
@given(st.lists(st.integers(0, 2**32 + 79), min_size=1, max_size=20), st.integers(0, 2))
def test_names(arcs: list[int], first: int) -> None:
    """A name is written as it is read."""
    arcs[0] %= 40
    written = ber.name(".".join(map(str, (first, *arcs))))

    assert ber.oid(written, 0, len(written)) == (first, *arcs)
