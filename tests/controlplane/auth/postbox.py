"""A mail server in the test's own process, which keeps what it is handed (SMTP, RFC 5321)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Postbox:
    """What arrived; `refusing` has it turn everybody away."""

    port: int = 0
    refusing: bool = False
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client."""
        writer.write(b"220 postbox\r\n")
        while line := await reader.readline():
            word = line.decode().split()[0].upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                parsed = message_from_bytes(content[:-3], policy=policy.default)
                self.messages.append(parsed)
            elif word == "RCPT":
                self.recipients.append(line.decode().strip())
            refused = self.refusing and word == "MAIL"
            writer.write(b"550 not here\r\n" if refused else b"250 fine\r\n")
            if word == "QUIT":
                break
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def postbox() -> AsyncIterator[Postbox]:
    """Run a mail server on loopback."""
    box = Postbox()
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
