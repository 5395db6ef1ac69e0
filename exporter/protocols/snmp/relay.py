"""gufo-snmp's codec on a transport and in an envelope of ours: TCP, and SNMPv3 with contexts.

gufo-snmp reads and writes v1 and v2c messages on a file descriptor. Here that descriptor is one
end of a socket pair; what comes out of the other end goes to the agent, and back.
"""

import os
import socket
from dataclasses import dataclass, replace

from gufo.snmp._fast import GetIter, SnmpV1ClientSocket, SnmpV2cClientSocket

from exporter.config import Auth
from exporter.protocols.snmp import ber, header
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.usm import Envelope, Report

Codec = SnmpV1ClientSocket | SnmpV2cClientSocket
Binding = tuple[str, int | float | str | bytes | None]

NOWHERE = "127.0.0.1:9"  # what the codec is told; it never sends there
LARGEST = 65_535  # octets of a datagram
LARGEST_MESSAGE = 1 << 20  # octets of a message over TCP
PAIR_BUFFER = 2 * LARGEST_MESSAGE

# A message of SNMPv2c with an empty community stands for the bare PDU inside an envelope.
PLAIN = b"\x02\x01\x01\x04\x00"


class Refused(Exception):
    """The agent answered with a report, not with a response."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report


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
    """Has the methods of gufo-snmp's sockets; `take` must come before each `recv_…`."""

    def __init__(self, codec: Codec, agent: socket.socket, envelope: Envelope | None) -> None:
        self.envelope = envelope
        self.octets = 0
        self._codec = codec
        self._agent = agent
        self._stream = Stream() if agent.type == socket.SOCK_STREAM else None
        self._pair, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self._pair, theirs):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PAIR_BUFFER)
        os.dup2(theirs.fileno(), codec.get_fd(), inheritable=False)
        theirs.close()

    def get_fd(self) -> int:
        """Return the descriptor to wait on for answers."""
        return self._agent.fileno()

    def close(self) -> None:
        """Hang up."""
        self._pair.close()
        self._agent.close()

    def take(self) -> int:
        """Bring in what has arrived; return its error-status.

        Raises BlockingIOError where nothing has, Malformed, Refused, and OSError of the transport.
        """
        received = self._agent.recv(LARGEST)
        self.octets += len(received)
        if self._stream is None:
            messages = [received]
        elif received:
            messages = self._stream.cut(received)
        else:
            raise ConnectionResetError("the agent closed the connection")
        passed = [self._pass(message) for message in messages]
        if all(status is None for status in passed):
            raise BlockingIOError  # nothing of ours has arrived yet
        return next((status for status in reversed(passed) if status), 0)

    def _pass(self, message: bytes) -> int | None:
        if not self.envelope:
            status = header.error_status(message)
        else:
            pdu = self.envelope.open(message)
            if isinstance(pdu, Report):
                raise Refused(pdu)
            if pdu is None:
                return None
            status = header.pdu_status(pdu, 0, len(pdu))
            message = ber.encode(ber.SEQUENCE, PLAIN + pdu)
        if len(message) > header.LARGEST:
            raise header.Oversize
        self._pair.send(message)
        return status

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

    def _forward(self) -> None:
        message = self._pair.recv(LARGEST)
        if self.envelope:
            message = self.envelope.seal(_pdu(message))
        if self._agent.send(message) != len(message):
            raise ConnectionResetError("the agent does not read what it is sent")

    def recv_get_many(self) -> dict[str, int | float | str | bytes | None]:
        """Return the objects in the answer taken."""
        return self._codec.recv_get_many()

    def recv_get_next(self, cursor: GetIter) -> Binding:
        """Return the next object in the answer taken."""
        return self._codec.recv_get_next(cursor)

    def recv_get_bulk(self, cursor: GetIter) -> list[Binding | None]:
        """Return the page of objects in the answer taken."""
        return self._codec.recv_get_bulk(cursor)


def _pdu(message: bytes) -> bytes:
    """Return the PDU in a message of the codec, whose community is empty."""
    start, end = ber.content(message, 0, len(message), ber.SEQUENCE)
    return message[start + len(PLAIN) : end]
