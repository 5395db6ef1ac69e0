"""gufo-snmp's codec on a transport and in an envelope of ours: TCP, and SNMPv3 with contexts.

gufo-snmp reads and writes v1 and v2c messages on a file descriptor. Here that descriptor is one
end of a socket pair; what comes out of the other end goes to the agent, and back. On the way an
answer to any request of the same question is made one to the last, which is what gufo-snmp awaits,
and texts too long for it are kept aside.
"""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from gufo.snmp._fast import GetIter, SnmpV1ClientSocket, SnmpV2cClientSocket

from exporter.config import Auth
from exporter.protocols.snmp import ber, header, pdus
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.pages import Answer
from exporter.protocols.snmp.usm import Envelope, Report

Codec = SnmpV1ClientSocket | SnmpV2cClientSocket
Binding = tuple[str, int | float | str | bytes | None]

NOWHERE = "127.0.0.1:9"  # what the codec is told; it never sends there
LARGEST = 65_535  # octets of a datagram
# What an Ethernet frame of 1,500 octets leaves of one, which then needs no fragments.
UNFRAGMENTED = {socket.AF_INET: 1_472, socket.AF_INET6: 1_452}
SPARE = 16  # octets by which answers in an envelope differ: clock and padding
LARGEST_MESSAGE = 1 << 20  # octets of a message over TCP
LONG_PDU = header.LARGEST - 512  # octets; with any header it fits into what the codec reads
ID_BITS = 30
IDS = 1 << ID_BITS  # the first request-id of ours, and how many there are: all take four octets
WRITTEN = b"\x02\x04"  # an INTEGER of four octets
PAIR_BUFFER = 2 * LARGEST_MESSAGE

# A message of SNMPv2c with an empty community stands for the bare PDU inside an envelope.
PLAIN = b"\x02\x01\x01\x04\x00"


def paired(codec: Codec) -> socket.socket:
    """Return the other end of what a codec reads and writes from now on."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in (ours, theirs):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PAIR_BUFFER)
    os.dup2(theirs.fileno(), codec.get_fd(), inheritable=False)
    theirs.close()
    return ours


class Unseen:
    """The last request that a codec sent by itself, whose id it keeps to itself.

    What is its answer shows when the codec takes it for one.
    """

    def __init__(self, codec: Codec, auth: Auth) -> None:
        self._codec = codec
        self._pair = paired(codec)
        self._head = pdus.head(auth)

    def had(self, identity: int) -> bool:
        """Return whether that was the request's id."""
        self._pair.send(ber.encode(ber.SEQUENCE, self._head + pdus.response(identity)))
        try:
            self._codec.recv_get_many()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go of the pair."""
        self._pair.close()


class Refused(Exception):
    """The agent answered with a report, not with a response."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report


class Reader(Protocol):
    """What sees answers before the codec does."""

    def read(self, answer: bytes, identity: bytes) -> bool:
        """Return whether it has read an answer to that request-id, so that the codec need not."""

    def offered(self, answer: Answer) -> None:
        """Look at an answer that the codec is about to read."""


@dataclass(slots=True)
class Stream:
    """Cuts what comes over TCP into messages (RFC 3430)."""

    buffer: bytes = b""

    def cut(self, received: bytes) -> list[bytes]:
        """Return the messages that are complete; raises Malformed where there are none to find."""
        data, messages = self.buffer + received, []
        while len(data) >= 2:  # noqa: PLR2004 - a tag and a length
            if data[0] != ber.SEQUENCE:
                raise Malformed("what the agent sends is no SNMP message")
            size = _size(data)
            if size > LARGEST_MESSAGE:
                raise Malformed(f"a message of {size} octets")
            if not size or len(data) < size:
                break
            messages.append(data[:size])
            data = data[size:]
        self.buffer = data
        return messages


def _size(data: bytes) -> int:
    """Return the octets of the message that `data` begins with; 0 where that is not told yet."""
    length = data[1]
    if not length & ber.LONG:
        return 2 + length
    width = length & ~ber.LONG
    if not 0 < width <= ber.WIDEST:
        raise Malformed("a length is indefinite or absurd")
    if len(data) < 2 + width:
        return 0
    return 2 + width + int.from_bytes(data[2 : 2 + width], "big")


class Relay:
    """Has the methods of gufo-snmp's sockets; `take` must come before each `recv_…`.

    `again` says that the next request repeats the question of the last; `unseen` is one that was
    sent before there was a relay. `head` stands before each PDU. The codec is opened when it is
    needed, with the other end of what it reads and writes.
    """

    def __init__(
        self,
        opening: Callable[[], tuple[Codec, socket.socket]],
        agent: socket.socket,
        head: bytes,
        envelope: Envelope | None,
        unseen: Unseen | None = None,
    ) -> None:
        self.envelope = envelope
        self.octets = 0
        self.again = False
        self._unseen = unseen
        self._asked: set[int] = set()
        self._last, self._written = 0, b""
        self._head = head
        self._identity, self._stride = secrets.randbits(ID_BITS), secrets.randbits(ID_BITS) | 1
        self._reader: Reader | None = None
        self._cursor: GetIter | None = None
        self._texts: dict[bytes, bytes] = {}
        self._opening = opening
        self._opened: tuple[Codec, socket.socket] | None = None
        self._agent = agent
        self._stream = Stream() if agent.type == socket.SOCK_STREAM else None
        self._largest = UNFRAGMENTED[agent.family] - (SPARE if envelope else 0)

    @classmethod
    def taking_over(cls, codec: Codec, agent: socket.socket, auth: Auth) -> Self:
        """Return a relay for a codec that spoke to the agent directly, on the same socket."""
        fresh = type(codec)(NOWHERE, auth.community, 0, 0, 0, 0)
        opened = fresh, paired(fresh)
        return cls(lambda: opened, agent, pdus.head(auth), None, Unseen(codec, auth))

    @property
    def _codec(self) -> Codec:
        return self._open()[0]

    @property
    def _pair(self) -> socket.socket:
        return self._open()[1]

    def _open(self) -> tuple[Codec, socket.socket]:
        if self._opened is None:
            self._opened = self._opening()
        return self._opened

    @property
    def datagrams(self) -> bool:
        """Whether each answer comes by itself, and not as a part of a stream."""
        return self._stream is None

    def get_fd(self) -> int:
        """Return the descriptor to wait on for answers."""
        return self._agent.fileno()

    def close(self) -> None:
        """Hang up."""
        self._forget()
        self._reader = None  # which holds this; a codec closes its socket when nobody holds it
        if self._opened is not None:
            self._pair.close()
        self._agent.close()

    def take(self) -> int:
        """Bring in what has arrived; return its error-status.

        Raises BlockingIOError where nothing has, Malformed, Refused, and OSError of the transport.
        """
        received = self._agent.recv(LARGEST)
        self.octets += len(received)
        # What is read as it stands is most of what there is: nothing comes before it.
        reader = self._reader
        if reader is not None and not self.envelope and reader.read(received, self._written):
            return 0
        status = self._pass(received) if self._stream is None else self._cut(received, self._stream)
        if status is None:
            raise BlockingIOError  # nothing of ours has arrived yet
        return status

    def _cut(self, received: bytes, stream: Stream) -> int | None:
        """Pass on the messages that are complete with this segment; return as `_pass` does."""
        if not received:
            raise ConnectionResetError("the agent closed the connection")
        passed = [self._pass(message) for message in stream.cut(received)]
        if all(status is None for status in passed):
            return None
        return next((status for status in reversed(passed) if status), 0)

    def _pass(self, message: bytes) -> int | None:
        """Pass a message on to the codec; return its error-status, None where it is not ours."""
        free = self._largest - len(message)
        if self.envelope:
            opened = self.envelope.open(message)
            if isinstance(opened, Report):
                raise Refused(opened)
            if opened is None:
                return None
            message = opened
            if self._reader is not None and self._reader.read(message, self._written):
                return 0
        start, at, end = (0, 0, len(message)) if self.envelope else pdus.community(message)
        head, pdu = PLAIN if self.envelope else message[start:at], message[at:end]
        status = None if len(pdu) > LONG_PDU else header.usual_answer(pdu, self._written)
        if status == 0 and self._reader is not None:
            first = at + header.IDENTITY_AT
            last = first + len(self._written)
            self._reader.offered(Answer(free, message, first, last, last + header.BINDINGS_AFTER))
        if status is None or self._cursor is not None:
            status = header.pdu_status(pdu, 0, len(pdu))
            if not self._answers(identity := pdus.identity(pdu)):
                return None
            if self._cursor is not None:
                self._codec.send_get_bulk(self._cursor)
                self._last = pdus.identity(self._question())
            pdu = self._readable(pdu, identity)
        message = ber.encode(ber.SEQUENCE, head + pdu)
        if len(message) > header.LARGEST:
            raise header.Oversize
        self._pair.send(message)
        return status

    def _readable(self, pdu: bytes, identity: int) -> bytes:
        """Return an answer as the codec takes it: to the last request, and not too long."""
        if identity != self._last:
            pdu = pdus.renumbered(pdu, self._last)
        if len(pdu) > LONG_PDU:
            pdu, self._texts = pdus.shortened(pdu)
        return pdu

    def _answers(self, identity: int) -> bool:
        """Return whether a request of the question that is open now had this id."""
        if identity in self._asked:
            return True
        if self._unseen is None or not self._unseen.had(identity):
            return False
        self._asked.add(identity)
        return True

    def _forget(self) -> None:
        """Take no more answers to what was asked so far."""
        self._asked.clear()
        if self.envelope:
            self.envelope.forget()
        if self._unseen is not None:
            self._unseen.close()
            self._unseen = None

    def speak(self, auth: Auth) -> None:
        """Go on as another user, or at another level."""
        if self.envelope:
            self.envelope = replace(self.envelope, auth=auth, context_engine_id=b"")

    def send_get_many(self, oids: list[str]) -> None:
        """Ask for some objects."""
        self._codec.send_get_many(oids)
        self._forward()

    def send_get_next(self, cursor: GetIter) -> None:
        """Ask for the object after the cursor."""
        self._codec.send_get_next(cursor)
        self._forward()

    def send_get_bulk(self, cursor: GetIter) -> None:
        """Ask for the objects after the cursor."""
        self._codec.send_get_bulk(cursor)
        self._forward()

    def ask(self, question: bytes, cursor: GetIter, reader: Reader) -> None:
        """Ask what `pdus.bulk` says; what the reader does not read, the codec does for the cursor.

        Ids go round in steps, from one to another that nobody can guess.
        """
        self._identity = IDS + (self._identity + self._stride) % IDS
        self._written = WRITTEN + self._identity.to_bytes(4, "big")
        self._reader, self._cursor = reader, cursor
        behind = self._written + question
        if self.again or self.envelope or self._unseen is not None:
            self._send(ber.encode(ber.GETBULK, behind), self._identity)
            return
        self._asked = {self._identity}
        self._hand(pdus.start(self._head, len(behind)) + behind)

    def _forward(self) -> None:
        pdu = self._question()
        self._reader = self._cursor = None
        self._last, self._written = pdus.numbered(pdu)
        self._send(pdu, self._last)

    def _question(self) -> bytes:
        """Return the PDU that the codec sends."""
        message = self._pair.recv(LARGEST)
        return (
            message.partition(PLAIN)[2] if self.envelope else message[pdus.community(message)[1] :]
        )

    def _send(self, pdu: bytes, identity: int) -> None:
        if not self.again:
            self._forget()
        self.again = False
        self._asked.add(identity)
        if self.envelope:
            self._hand(self.envelope.seal(pdu))
        else:
            self._hand(ber.encode(ber.SEQUENCE, self._head + pdu))

    def _hand(self, message: bytes) -> None:
        """Send a message."""
        if self._agent.send(message) != len(message):
            raise ConnectionResetError("the agent does not read what it is sent")

    def recv_get_many(self) -> dict[str, int | float | str | bytes | None]:
        """Return the objects in the answer taken."""
        texts, found = self._kept(), self._codec.recv_get_many()
        return {oid: texts.get(value, value) for oid, value in found.items()} if texts else found

    def recv_get_next(self, cursor: GetIter) -> Binding:
        """Return the next object in the answer taken."""
        texts, (oid, value) = self._kept(), self._codec.recv_get_next(cursor)
        return oid, texts.get(value, value)

    def recv_get_bulk(self, cursor: GetIter) -> list[Binding | None]:
        """Return the page of objects in the answer taken."""
        texts, page = self._kept(), self._codec.recv_get_bulk(cursor)
        if not texts:
            return page
        return [found and (found[0], texts.get(found[1], found[1])) for found in page]

    def _kept(self) -> dict[Any, Any]:
        """Return the texts kept aside of the answer taken, by their marks."""
        texts, self._texts = self._texts, {}
        return texts
