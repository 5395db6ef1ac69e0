"""UDP on loopback alone: a socket to an address, or one socket for thousands of addresses.

Up to `MANY` addresses get a socket each. More share one that is bound to every address but tied to
the interface `lo` (socket(7), SO_BINDTODEVICE), and learns the address of each datagram from the
kernel (ip(7), IP_PKTINFO). Datagrams for an address that is no device's are dropped. Where the
kernel does not allow that, every address gets its own socket, however many.
"""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from lab.agent import Agent
from lab.ber import Malformed
from lab.errors import CannotListen

MANY = 256
BURST = 64  # datagrams taken before other tasks get their turn
BUFFER = 4 << 20  # octets of receive buffer asked for; the kernel may grant less
LARGEST = 8_192  # octets of a request; a longer one arrives cut off and counts as malformed
_IP_PKTINFO = 8  # linux/in.h; the socket module names it from Python 3.14
_PKTINFO = struct.Struct("=i4s4s")  # interface, local address, destination
_ANCILLARY = socket.CMSG_SPACE(_PKTINFO.size)


@dataclass
class Statistics:
    """What the sockets have seen since the start."""

    received: int = 0
    answered: int = 0
    malformed: int = 0
    unanswered: int = 0  # wrong community, silent device, or nobody's address


class Sockets:
    """The open sockets of a lab."""

    def __init__(self, agents: Mapping[str, Agent], statistics: Statistics) -> None:
        self._agents = {ipaddress.IPv4Address(text).packed: a for text, a in agents.items()}
        self._statistics = statistics
        self._stack = ExitStack()
        self.port = 0

    def open(self, port: int) -> None:
        """Bind every address to the port (0: a free one) and answer from now on."""
        try:
            if len(self._agents) <= MANY or not self._listen_shared(port):
                for address, agent in self._agents.items():
                    self._listen(address, agent, self.port or port)
        except OSError as error:
            self.close()
            raise CannotListen(f"SNMP port {port}: {error.strerror}") from error

    def close(self) -> None:
        """Stop answering."""
        self._stack.close()

    def _listen(self, address: bytes, agent: Agent, port: int) -> None:
        sock = self._socket()
        self._bind(sock, socket.inet_ntoa(address), port)
        self._watch(sock, lambda: self._serve(sock, agent))

    def _listen_shared(self, port: int) -> bool:
        """Listen on one socket; False where the kernel does not let us tie it to `lo`."""
        sock = self._socket()
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        except PermissionError:
            return False
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._bind(sock, "", port)
        self._watch(sock, lambda: self._serve_shared(sock))
        return True

    def _socket(self) -> socket.socket:
        sock = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        return sock

    def _bind(self, sock: socket.socket, host: str, port: int) -> None:
        sock.bind((host, port))
        self.port = sock.getsockname()[1]

    def _watch(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(sock, ready)
        self._stack.callback(loop.remove_reader, sock)

    def _serve(self, sock: socket.socket, agent: Agent) -> None:
        for _ in range(BURST):
            try:
                data, peer = sock.recvfrom(LARGEST)
            except BlockingIOError:
                return
            reply = self._answer(agent, data)
            if reply:
                self._send(sock, [reply], [], peer)

    def _serve_shared(self, sock: socket.socket) -> None:
        for _ in range(BURST):
            try:
                data, ancillary, _, peer = sock.recvmsg(LARGEST, _ANCILLARY)
            except BlockingIOError:
                return
            _, _, destination = _PKTINFO.unpack(ancillary[0][2])
            reply = self._answer(self._agents.get(destination), data)
            if reply:
                source = _PKTINFO.pack(0, destination, b"\0\0\0\0")
                self._send(sock, [reply], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], peer)

    def _answer(self, agent: Agent | None, data: bytes) -> bytes | None:
        self._statistics.received += 1
        try:
            reply = agent.answer(data) if agent else None
        except Malformed:
            self._statistics.malformed += 1
            return None
        if reply is None:
            self._statistics.unanswered += 1
        return reply

    def _send(
        self,
        sock: socket.socket,
        parts: Sequence[bytes],
        ancillary: Sequence[tuple[int, int, bytes]],
        peer: tuple[str, int],
    ) -> None:
        try:
            sock.sendmsg(parts, ancillary, 0, peer)
        except OSError:  # a full buffer or an impossible return address: lost, as on any network
            self._statistics.unanswered += 1
        else:
            self._statistics.answered += 1
