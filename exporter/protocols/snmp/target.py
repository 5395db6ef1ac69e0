"""Where an agent listens: `[udp://|tcp://]host[:port]`, and the address behind a name."""

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Self

from exporter.errors import BadRequest, LocalFault, UnresolvedName

DEFAULT_PORT = 161
KNOWN = 10_000  # targets that are not read anew with every scrape

Transport = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where an agent listens."""

    host: str
    port: int = DEFAULT_PORT
    transport: Transport = "udp"

    @classmethod
    @lru_cache(KNOWN)
    def parse(cls, text: str) -> Self:
        """Return the target written `[udp://|tcp://]host[:port]`, IPv6 in brackets or bare."""
        match = re.fullmatch(
            r"(?:(\w+)://)?(\[[0-9a-fA-F:.%\w]+\]|[^\[\]/\s]+?)(?::(\d{1,5}))?", text
        )
        if match is None or (text.count(":") > 1 and "[" not in text and "//" not in text):
            match = re.fullmatch(r"()([0-9a-fA-F]*:[0-9a-fA-F:.]+)()", text)
        if match is None or int(match[3] or DEFAULT_PORT) not in range(1, 65536):
            raise BadRequest(f"Invalid target '{text}'")
        if match[1] not in {"udp", "tcp", "", None}:
            raise BadRequest(f"Transport '{match[1]}' of target '{text}' is not supported")
        transport: Transport = "tcp" if match[1] == "tcp" else "udp"
        return cls(match[2].strip("[]"), int(match[3] or DEFAULT_PORT), transport)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.transport == "tcp":
            host = f"tcp://{host}"
        return host if self.port == DEFAULT_PORT else f"{host}:{self.port}"

    @property
    def named(self) -> bool:
        """Whether there is a name to look up."""
        return not _is_address(self.host)

    async def resolve(self) -> str:
        """Return the `address:port` to talk to, with IPv4 before IPv6."""
        address = await self.address()
        return f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"

    async def address(self) -> str:
        """Return the address of the host; the interface of a link-local one is a number."""
        address = await self._looked_up() if self.named else self.host
        address, _, scope = address.partition("%")
        if scope:
            address = f"{address}%{self._scope(scope)}"
        return address

    def _scope(self, name: str) -> int:
        """Return the number of the interface that a link-local address is on."""
        try:
            return int(name) if name.isdecimal() else socket.if_nametoindex(name)
        except OSError as error:
            raise UnresolvedName(str(self), f"there is no interface '{name}'") from error

    async def _looked_up(self) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self.host, self.port, type=socket.SOCK_DGRAM
            )
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise LocalFault(str(self), "no name server answers") from error
            raise UnresolvedName(str(self), "the name has no address") from error
        except (OSError, UnicodeError) as error:
            raise UnresolvedName(str(self), "the name has no address") from error
        return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])


@lru_cache(KNOWN)
def _is_address(host: str) -> bool:
    """Return whether there is nothing to look up, which spares a thread per scrape."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
