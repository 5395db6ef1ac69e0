"""What SNMPv3 costs: one scrape of a simulated 48-port switch by v3 SHA-256/AES-256, and by v2c.

The switch speaks v2c. The v3 agent is a front of this process before it, so what is measured is the
CPU time of the exporter alone.
"""

import asyncio
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from bench import _peers, scrape
from exporter.config import Auth
from exporter.protocols.snmp import ber, keys, usm
from exporter.protocols.snmp.message import parsed
from exporter.protocols.snmp.relay import PLAIN
from exporter.protocols.snmp.usm import Engine, Envelope
from lab import topology
from lab.server import Lab
from lab.topology import Topology

BOUND = 2.0  # times the cost of v2c
ROUNDS = 3
ENGINE = b"\x80\x00\x1f\x88\x04bench"
USER = {
    "version": 3,
    "username": "bench",
    "security_level": "authPriv",
    "auth_protocol": "SHA256",
    "password": "correct horse",
    "priv_protocol": "AES256",
    "priv_password": "battery staple",
}
AUTH = Auth(**USER)  # type: ignore[arg-type]
WHO = ber.encode(
    ber.SEQUENCE, ber.encode(ber.OID, bytes((43, 6, 1, 6, 3, 15, 1, 1, 4, 0))) + b"\x41\x01\x01"
)
REPORT = ber.encode(
    usm.REPORT, b"\x02\x01\x00\x02\x01\x00\x02\x01\x00" + ber.encode(ber.SEQUENCE, WHO)
)


@dataclass
class Front(asyncio.DatagramProtocol):
    """Answers v3 requests with what an agent answers to the same in v2c."""

    agent: tuple[str, int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open a way to the agent."""
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.back.connect(self.agent)
        self.loop = asyncio.get_running_loop()
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """Close the way to the agent."""
        self.back.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass a request on."""
        task = self.loop.create_task(self._answer(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, data: bytes, addr: tuple[str, int]) -> None:
        message = parsed(data)
        envelope = Envelope(AUTH, Engine(ENGINE, 1))
        envelope._sent = message.identity
        if message.engine != ENGINE:
            who = Envelope(Auth(version=3, username="bench"), Engine(ENGINE, 1))
            who._sent = message.identity
            self.transport.sendto(who.sealed(REPORT), addr)
            return
        pdu = usm._pdu(usm.plain(data, message, keys.localised(AUTH, ENGINE)))
        community = PLAIN[:3] + ber.encode(ber.OCTETS, b"public")
        self.back.setblocking(False)
        await self.loop.sock_sendall(self.back, ber.encode(ber.SEQUENCE, community + pdu))
        answer = await self.loop.sock_recv(self.back, 65_535)
        start, end = ber.content(answer, 0, len(answer), ber.SEQUENCE)
        _, at = ber.number(answer, start, end)
        _, at = ber.content(answer, at, end, ber.OCTETS)
        self.transport.sendto(envelope.sealed(answer[at:end]), addr)


async def main() -> None:
    lab = Lab(Topology(()), snmp_port=0, bulk=topology.bulk(1, scrape.BASE), bulk_tick=1.0)
    async with lab:
        agent = lab.address("bulk0001"), lab.port
        front, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Front(agent), local_addr=("127.0.0.1", 0)
        )
        targets = {
            "v2c": f"{agent[0]}:{agent[1]}",
            "v3": f"127.0.0.1:{front.get_extra_info('sockname')[1]}",
        }
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "auths.yml"
            config.write_text(yaml.safe_dump({"auths": {"v2c": {"version": 2}, "v3": USER}}))
            with _peers.ours(Path(folder), f"--config.file={config}") as exporter:
                measured = [
                    {
                        auth: await scrape.measure(exporter, target, "plain", auth=auth)
                        for auth, target in targets.items()
                    }
                    for _ in range(ROUNDS)
                ]
        front.close()
    report(measured)


def report(measured: list[dict[str, tuple[float, int]]]) -> None:
    print(f"\nCPU of a scrape by v3 SHA-256/AES-256 and by v2c, {scrape.SCRAPES} scrapes each")
    print(f"{'v2c ms':>8}{'v3 ms':>8}{'samples':>9}{'ratio':>8}  target")
    for row in measured:
        (plain, samples), (sealed, same) = row["v2c"], row["v3"]
        if samples != same:
            raise RuntimeError(f"{samples} samples by v2c, {same} by v3")
        ratio = sealed / plain
        print(f"{plain * 1e3:8.2f}{sealed * 1e3:8.2f}{samples:9}{ratio:8.2f}  at most {BOUND:g}")


if __name__ == "__main__":
    asyncio.run(main())
