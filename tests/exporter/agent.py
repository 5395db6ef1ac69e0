"""A small SNMP agent on a UDP socket of its own, which can be told to misbehave."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, cast

GET, GETNEXT, RESPONSE, GETBULK = 0xA0, 0xA1, 0xA2, 0xA5
NO_SUCH_INSTANCE, END_OF_VIEW = 0x81, 0x82

Oid = tuple[int, ...]


class Value(NamedTuple):
    """One SNMP value: its BER tag and the bytes of its content."""

    tag: int
    content: bytes


class Request(NamedTuple):
    """What a client asked."""

    version: int
    community: bytes
    pdu: int
    request_id: int
    non_repeaters: int
    max_repetitions: int
    oids: list[Oid]


def integer(number: int, tag: int = 0x02) -> Value:
    """Return an INTEGER, or with another tag a counter, gauge or time."""
    return Value(tag, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def counter64(number: int) -> Value:
    """Return a Counter64."""
    return integer(number, 0x46)


def octets(text: bytes | str) -> Value:
    """Return an OCTET STRING."""
    return Value(0x04, text.encode() if isinstance(text, str) else text)


def oid_value(oid: str) -> Value:
    """Return an OBJECT IDENTIFIER."""
    return Value(0x06, _oid_content(parse(oid)))


def parse(oid: str) -> Oid:
    """Return the numbers of a dotted OID."""
    return tuple(int(arc) for arc in oid.split("."))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _oid_content(oid: Oid) -> bytes:
    out = bytearray([oid[0] * 40 + oid[1]])
    for arc in oid[2:]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return bytes(out)


def _read(data: bytes, at: int) -> tuple[int, bytes, int]:
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        size, at = int.from_bytes(data[at : at + width], "big"), at + width
    return tag, data[at : at + size], at + size


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    at, fields = 0, []
    while at < len(data):
        tag, content, at = _read(data, at)
        fields.append((tag, content))
    return fields


def _read_oid(content: bytes) -> Oid:
    arcs = [min(content[0] // 40, 2)]
    arcs.append(content[0] - 40 * arcs[0])
    arc = 0
    for byte in content[1:]:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    return tuple(arcs)


def decode(packet: bytes) -> Request:
    """Return what a v1 or v2c request asks."""
    version, community, (pdu, body) = _fields(_read(packet, 0)[1])
    request_id, second, third, bindings = _fields(body)
    oids = [_read_oid(_fields(binding)[0][1]) for _, binding in _fields(bindings[1])]
    identity, first, last = (
        int.from_bytes(content, "big", signed=True) for _, content in (request_id, second, third)
    )
    return Request(
        int.from_bytes(version[1], "big"), community[1], pdu, identity, first, last, oids
    )


def encode(
    request: Request, bindings: list[tuple[Oid, Value]], error: int = 0, index: int = 0
) -> bytes:
    """Return the response to a request."""
    rows = b"".join(
        _tlv(0x30, _tlv(0x06, _oid_content(oid)) + _tlv(*value)) for oid, value in bindings
    )
    numbers = b"".join(_tlv(*integer(n)) for n in (request.request_id, error, index))
    body = _tlv(RESPONSE, numbers + _tlv(0x30, rows))
    return _tlv(0x30, _tlv(*integer(request.version)) + _tlv(0x04, request.community) + body)


@dataclass
class Agent(asyncio.DatagramProtocol):
    """Answers from a table; `reply`, where given, makes the datagrams instead."""

    table: dict[Oid, Value]
    community: bytes = b"public"
    reply: Callable[["Agent", Request], list[bytes]] | None = None
    requests: list[Request] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    transport: asyncio.DatagramTransport | None = None
    delay: float = 0.0
    pending: int = 0
    most_pending: int = 0

    def __post_init__(self) -> None:
        self.order = sorted(self.table)

    @property
    def port(self) -> int:
        """The UDP port on 127.0.0.1."""
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer on."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one request; a wrong community is met with silence."""
        assert self.transport is not None
        request = decode(data)
        if request.community != self.community:
            return
        self.requests.append(request)
        self.sources.add(addr[0])
        packets = (self.reply or Agent.answer)(self, request)
        if self.delay:
            self.pending += 1
            self.most_pending = max(self.pending, self.most_pending)
            asyncio.get_running_loop().call_later(self.delay, self._send_late, packets, addr)
        else:
            self._send(packets, addr)

    def _send_late(self, packets: list[bytes], addr: tuple[str, int]) -> None:
        self.pending -= 1
        self._send(packets, addr)

    def _send(self, packets: list[bytes], addr: tuple[str, int]) -> None:
        assert self.transport is not None
        for packet in packets:
            self.transport.sendto(packet, addr)

    def answer(self, request: Request) -> list[bytes]:
        """Return what a well-behaved agent sends."""
        if request.pdu == GETBULK:
            return [encode(request, self._bulk(request.oids[0], request.max_repetitions))]
        lookup = self._get if request.pdu == GET else self.after
        bindings = [lookup(oid) for oid in request.oids]
        for index, (_, value) in enumerate(bindings, 1):
            if request.version == 0 and value.tag in {NO_SUCH_INSTANCE, END_OF_VIEW}:
                empty = [(oid, Value(0x05, b"")) for oid in request.oids]
                return [encode(request, empty, error=2, index=index)]
        return [encode(request, bindings)]

    def _get(self, oid: Oid) -> tuple[Oid, Value]:
        return oid, self.table.get(oid, Value(NO_SUCH_INSTANCE, b""))

    def after(self, oid: Oid) -> tuple[Oid, Value]:
        """Return the binding that follows `oid`."""
        at = bisect_right(self.order, oid)
        if at == len(self.order):
            return oid, Value(END_OF_VIEW, b"")
        return self.order[at], self.table[self.order[at]]

    def _bulk(self, oid: Oid, repetitions: int) -> list[tuple[Oid, Value]]:
        bindings: list[tuple[Oid, Value]] = []
        for _ in range(repetitions):
            oid, value = self.after(oid)
            bindings.append((oid, value))
            if value.tag == END_OF_VIEW:
                break
        return bindings


@asynccontextmanager
async def serve(
    table: Mapping[str, Value],
    reply: Callable[[Agent, Request], list[bytes]] | None = None,
    community: bytes = b"public",
) -> AsyncIterator[Agent]:
    """Run an agent on a free port of 127.0.0.1 for the length of a block."""
    agent = Agent({parse(oid): value for oid, value in table.items()}, community, reply)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=("127.0.0.1", 0))
    try:
        yield agent
    finally:
        transport.close()
