"""Echo requests (RFC 792, RFC 4443): whether a host answers, how soon, how evenly.

Datagram sockets are used where `net.ipv4.ping_group_range` lets this process, raw ones where it
is privileged. The kernel says how long an answer has waited for us, so a busy process does not make
the network look slow. An answer is ours if its token is.
"""

import asyncio
import errno
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import NamedTuple

from exporter.errors import LocalFault, NotPermitted, OutOfTime, ProtocolError, Unreachable

ECHO, ECHO_REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}
HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
TOKEN = 16  # octets by which we know our own; random, so that nobody can answer unasked
PAYLOAD = 56 - TOKEN  # octets of filling; 64 with the header, as ping sends
LARGEST = 2048  # octets to read; an answer is as long as its request
HOP_LIMIT = struct.Struct("@i")
TIMESTAMP = struct.Struct("@ll")  # seconds and nanoseconds of the wall clock
IP_RECVTTL, SO_TIMESTAMPNS = 12, 35  # Linux' numbers; Python does not name them
ANCILLARY = socket.CMSG_SPACE(HOP_LIMIT.size) + socket.CMSG_SPACE(TIMESTAMP.size)
SEQUENCES = 2**16  # sequence numbers start anew

DENIED = (
    "this process may not send ICMP: let its group in with net.ipv4.ping_group_range, "
    "or give it CAP_NET_RAW"
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many echoes to send, how far apart, and how long to wait for each; in seconds."""

    count: int = 4
    interval: float = 0.2
    timeout: float = 1.0


@dataclass(slots=True)
class Echoes:
    """What came back: round trips, and the time to set up, in seconds."""

    sent: int = 0
    setup: float = 0.0
    round_trips: list[float] = field(default_factory=list)
    hop_limit: int | None = None

    @property
    def loss(self) -> float | None:
        """Return the share of requests without an answer, 0 to 1; None where none was sent."""
        return 1 - len(self.round_trips) / self.sent if self.sent else None

    @property
    def jitter(self) -> float | None:
        """Return the mean difference of successive round trips; None where there are not two."""
        pairs = list(zip(self.round_trips, self.round_trips[1:], strict=False))
        return sum(abs(b - a) for a, b in pairs) / len(pairs) if pairs else None


Ancillary = list[tuple[int, int, bytes]]


class _Answer(NamedTuple):
    sequence: int
    at: float
    hop_limit: int | None


async def ping(address: str, pace: Pace, deadline: float) -> Echoes:
    """Return the echoes of an IPv4 or IPv6 address; requests end with the deadline.

    Raises NotPermitted, Unreachable where this host has no route there, LocalFault where it cannot
    send, and OutOfTime where there was no time to.
    """
    version = 6 if ":" in address else 4
    started = time.perf_counter()
    try:
        with _socket(version) as opened:
            pinger = _Pinger(opened, version, address)
            setup = time.perf_counter() - started
            try:
                await pinger.run(pace, deadline)
                if pinger.failure is not None:
                    raise pinger.failure
                return pinger.echoes(pace.timeout, setup)
            finally:
                pinger.stop()
    except OSError as error:
        raise Unreachable(address, error.strerror or str(error)) from error


def _socket(version: int) -> socket.socket:
    family = socket.AF_INET6 if version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    protocol = socket.IPPROTO_ICMPV6 if version == 6 else socket.IPPROTO_ICMP  # noqa: PLR2004
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind, protocol)
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM, errno.EPROTONOSUPPORT}:
                raise
    raise NotPermitted("icmp", DENIED)


class _Pinger:
    """One socket, one host, some echoes."""

    def __init__(self, opened: socket.socket, version: int, address: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = opened
        self._version = version
        self._address = address
        self._raw = opened.type == socket.SOCK_RAW
        self._token = secrets.token_bytes(TOKEN)
        self._identifier = int.from_bytes(self._token[:2], "big")
        self._sent: dict[int, float] = {}
        self._answers: dict[int, _Answer] = {}
        self._unsent = ""
        self._changed = asyncio.Event()
        opened.setblocking(False)
        opened.connect(socket.getaddrinfo(address, 0, flags=socket.AI_NUMERICHOST)[0][4])
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if version == 4:  # noqa: PLR2004 - IPv4
            opened.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)

    @property
    def failure(self) -> ProtocolError | None:
        """Return why nothing was sent, None where something was."""
        if self._sent:
            return None
        if self._unsent:
            return LocalFault(self._address, f"no echo request can be sent: {self._unsent}")
        return OutOfTime(self._address, "no time was left for an echo request")

    def stop(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket.fileno())

    async def run(self, pace: Pace, deadline: float) -> None:
        """Send the requests and wait for what comes back."""
        self._loop.add_reader(self._socket.fileno(), self._arrived)
        for sequence in range(pace.count):
            if self._loop.time() >= deadline:
                break
            self._send(sequence)
            if sequence + 1 < pace.count:
                await asyncio.sleep(min(pace.interval, max(deadline - self._loop.time(), 0)))
        last = max(self._sent.values(), default=0.0)
        await self._settled(min(last + pace.timeout, deadline))

    def echoes(self, timeout: float, setup: float) -> Echoes:
        """Return what was answered in time."""
        found = Echoes(len(self._sent), setup)
        for sequence, sent in self._sent.items():
            answer = self._answers.get(sequence)
            if answer and answer.at - sent <= timeout:
                found.round_trips.append(answer.at - sent)
                found.hop_limit = answer.hop_limit
        return found

    def _send(self, sequence: int) -> None:
        request = self._request(sequence)
        for _ in range(2):  # the first try may only bring a router's word on an earlier request
            sent = self._loop.time()
            try:
                self._socket.send(request)
            except OSError as error:
                self._unsent = error.strerror or str(error)
            else:
                self._sent[sequence] = sent
                return

    async def _settled(self, until: float) -> None:
        """Wait until every request is answered, or time is up."""
        while len(self._answers) < len(self._sent):
            self._changed.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                return

    def _request(self, sequence: int) -> bytes:
        kind, data = ECHO[self._version], self._token + bytes(PAYLOAD)
        blank = HEADER.pack(kind, 0, 0, self._identifier, sequence % SEQUENCES) + data
        return HEADER.pack(kind, 0, checksum(blank), self._identifier, sequence % SEQUENCES) + data

    def _arrived(self) -> None:
        """Take in an answer; everything else that a raw socket sees is passed over."""
        try:
            packet, ancillary, _, _ = self._socket.recvmsg(LARGEST, ANCILLARY)
        except OSError:
            # Routers report what they cannot deliver; the request stays without an answer.
            return
        at = self._loop.time() - _waited(ancillary)
        if self._raw and self._version == 4:  # noqa: PLR2004 - IPv4 comes with its own header
            packet = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
        sequence = self._ours(packet)
        if sequence is not None and sequence not in self._answers:
            self._answers[sequence] = _Answer(
                sequence, max(at, self._sent[sequence]), _hop_limit(ancillary)
            )
            self._changed.set()

    def _ours(self, packet: bytes) -> int | None:
        """Return the sequence number of an answer to one of our requests, or None."""
        if len(packet) < HEADER.size + TOKEN:
            return None
        kind, code, _, _, sequence = HEADER.unpack_from(packet)
        token = packet[HEADER.size : HEADER.size + TOKEN]
        if (kind, code) != (ECHO_REPLY[self._version], 0) or token != self._token:
            return None
        return sequence if sequence in self._sent else None


def _waited(ancillary: Ancillary) -> float:
    """Return the seconds since the kernel took in the packet."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) >= TIMESTAMP.size:
            seconds, nanoseconds = TIMESTAMP.unpack_from(data)
            return max(time.time() - float(seconds) - float(nanoseconds) / 1e9, 0.0)
    return 0.0


def _hop_limit(ancillary: Ancillary) -> int | None:
    for level, _, data in ancillary:
        if level != socket.SOL_SOCKET and len(data) >= HOP_LIMIT.size:
            (hops,) = HOP_LIMIT.unpack_from(data)
            return int(hops)
    return None


def checksum(packet: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    padded = packet + bytes(len(packet) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
