import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.config import Auth
from exporter.errors import Refusal, Undecodable, Unreachable, WrongCredentials
from exporter.protocols.snmp import Engines, Limits, Target, Traffic, session
from exporter.protocols.snmp.usm import Engine, Envelope
from tests.exporter.conftest import free_port
from tests.exporter.protocols import netsnmp

DIGESTS = {"MD5": "MD5", "SHA": "SHA", "SHA224": "SHA-224", "SHA256": "SHA-256",
           "SHA384": "SHA-384", "SHA512": "SHA-512"}  # fmt: skip
CIPHERS = {"DES": "DES", "AES": "AES", "AES192": "AES-192", "AES256": "AES-256",
           "AES192C": "AES-192-C", "AES256C": "AES-256-C"}  # fmt: skip
SYSTEM = "1.3.6.1.2.1.1"
NAME = f"{SYSTEM}.5.0"
PASSWORD, SECRET = "correct horse", "battery staple"


def user(digest: str, cipher: str) -> str:
    return f"{digest}-{cipher}"


def configuration(behind: int) -> str:
    """Return a configuration with a user for every pair, and a context served by another agent."""
    lines = [
        "rocommunity public",
        "rocommunity6 public",
        "sysName edge1",
        "view all included .1",
        'createUser SHA-only SHA "correct horse"',
        "rouser SHA-only auth",
        "createUser nobody",
        "rouser nobody noauth",
        f"proxy -Cn vlan-7 -v 2c -c public 127.0.0.1:{behind} .1.3.6.1.2.1.1",
        f"rouser {user('SHA', 'AES')} priv -V all vlan-7",
    ]
    for digest, theirs in DIGESTS.items():
        for cipher, their in CIPHERS.items():
            name = user(digest, cipher)
            lines.append(f'createUser {name} {theirs} "{PASSWORD}" {their} "{SECRET}"')
            lines.append(f"rouser {name} priv")
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of an agent that knows every pair of protocols."""
    folder, port, behind = tmp_path_factory.mktemp("v3"), netsnmp.free_port(), free_port()
    more = f"tcp:127.0.0.1:{port}", f"udp6:[::1]:{port}"
    other = "rocommunity public\nsysName behind\n"
    with (
        netsnmp.running(folder / "behind", other, behind),
        netsnmp.running(folder / "agent", configuration(behind), port, *more),
    ):
        yield port


@pytest.fixture
async def limits() -> Limits:
    """Patience enough for a busy machine; an agent that answers costs none of it."""
    return _soon()


@pytest.fixture
async def hurried() -> Limits:
    """Patience for an agent that keeps silent on purpose."""
    return replace(_soon(), timeout=0.4, retries=1)


def auth(digest: str = "SHA", cipher: str = "AES", **changes: Any) -> Auth:
    base = Auth(
        version=3,
        username=user(digest, cipher),
        security_level="authPriv",
        auth_protocol=digest,  # type: ignore[arg-type]
        password=PASSWORD,
        priv_protocol=cipher,  # type: ignore[arg-type]
        priv_password=SECRET,
    )
    return replace(base, **changes)


async def name(port: int, auth: Auth, limits: Limits, **options: Any) -> object:
    async with session(Target("127.0.0.1", port), auth, limits, **options) as agent:
        return (await agent.get([NAME], limits)).get(NAME)


class TestPairs:
    @pytest.mark.parametrize("cipher", CIPHERS)
    @pytest.mark.parametrize("digest", DIGESTS)
    async def test_walk(self, agent: int, digest: str, cipher: str, limits: Limits) -> None:
        """Every authentication protocol works with every privacy protocol."""
        target = Target("127.0.0.1", agent)
        async with session(target, auth(digest, cipher), limits) as opened:
            answers = await opened.walk(SYSTEM, limits)

        assert answers[NAME] == b"edge1"
        assert len(answers) > 20

    async def test_long_walk(self, agent: int, limits: Limits) -> None:
        """A walk of more than a thousand values comes to its end."""
        counted = []
        for kind in (auth(), Auth()):
            async with session(Target("127.0.0.1", agent), kind, limits) as opened:
                counted.append(len(await opened.walk("1.3.6.1.2.1.25", limits)))

        assert counted[0] > 200
        assert counted[0] == pytest.approx(counted[1], rel=0.2)

    async def test_auth_no_priv(self, agent: int, limits: Limits) -> None:
        """A user can sign without encrypting."""
        signing = auth(username="SHA-only", security_level="authNoPriv")
        assert await name(agent, signing, limits) == b"edge1"

    async def test_no_auth_no_priv(self, agent: int, limits: Limits) -> None:
        """A user can do neither."""
        nobody = Auth(version=3, username="nobody")
        assert await name(agent, nobody, limits) == b"edge1"


class TestMistakes:
    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"password": "wrong horse"}, "wrong password or auth_protocol of user 'SHA-AES'"),
            ({"auth_protocol": "MD5"}, "wrong password or auth_protocol of user 'SHA-AES'"),
            ({"priv_password": "wrong horse"}, "wrong priv_password or priv_protocol of user"),
            ({"priv_protocol": "DES"}, "wrong priv_password or priv_protocol of user"),
            ({"username": "eve"}, "unknown user 'eve'"),
            ({"username": "SHA-only"}, "security level authPriv is not supported for user"),
            ({"security_level": "authNoPriv"}, "denies user 'SHA-AES' access at security level"),
        ],
        ids=str,
    )
    async def test_named(
        self, agent: int, changes: dict[str, str], problem: str, hurried: Limits
    ) -> None:
        """What is wrong with credentials is named, whether the agent says it or keeps silent."""
        with pytest.raises(WrongCredentials, match=problem) as caught:
            await name(agent, auth(**changes), hurried)
        assert "horse" not in str(caught.value)

    async def test_gone(self, hurried: Limits) -> None:
        """An agent that is not there is no matter of credentials."""
        with pytest.raises(Unreachable):
            await name(free_port(), auth(), hurried)


class TestContext:
    async def test_other_agent(self, agent: int, limits: Limits) -> None:
        """A context shows what is behind the agent, such as the tables of one VLAN."""
        assert await name(agent, auth(context_name="vlan-7"), limits) == b"behind"

    async def test_unknown(self, agent: int, hurried: Limits) -> None:
        """A context that the agent does not have is named, not a timeout."""
        with pytest.raises(Refusal, match="no context 'vlan-8'"):
            await name(agent, auth(context_name="vlan-8"), hurried)

    def test_other_engine(self) -> None:
        """A context can be one of another engine, behind the agent that is asked."""
        engine, nobody = Engine(b"agent"), Auth(version=3, username="nobody", context_name="c1")

        message = Envelope(nobody, engine, b"other").seal(b"\xa0\x00")

        assert message.endswith(b"\x04\x05other\x04\x02c1\xa0\x00")
        assert b"\x04\x05agent" in message

    async def test_own_engine(self, agent: int, limits: Limits) -> None:
        """The agent's own engine id is what is asked without one."""
        engines = Engines()
        await name(agent, auth(), limits, engines=engines)
        own = engines.at(f"udp://127.0.0.1:{agent}").id
        assert len(own) > 4
        assert await name(agent, auth(), limits, context_engine_id=own) == b"edge1"


class TestTransport:
    @pytest.mark.parametrize("target", ["tcp://127.0.0.1:{}", "[::1]:{}", "tcp://localhost:{}"])
    @pytest.mark.parametrize("auth", [Auth(version=1), Auth(), auth()], ids=["v1", "v2c", "v3"])
    async def test_walk(self, agent: int, target: str, auth: Auth, limits: Limits) -> None:
        """Every version goes over TCP and over IPv6."""
        async with session(Target.parse(target.format(agent)), auth, limits) as opened:
            answers = await opened.walk(SYSTEM, limits)

        assert answers[NAME] == b"edge1"


class TestForgery:
    async def test_changed(self, agent: int, hurried: Limits) -> None:
        """An answer that was changed on its way is not believed."""
        signing = auth(username="SHA-only", security_level="authNoPriv")
        async with netsnmp.between(
            agent, lambda packet: packet.replace(b"edge1", b"forge")
        ) as port:
            with pytest.raises(Undecodable, match="digest is wrong"):
                await name(port, signing, hurried)

    def test_downgraded(self) -> None:
        """An answer in the clear is not believed where an encrypted one was asked for."""
        envelope = Envelope(auth(), Engine(b"engine"))
        signing = Envelope(auth(security_level="authNoPriv"), Engine(b"engine"))
        envelope.seal(b"\xa0\x00")
        plain = signing.seal(b"\xa2\x00")
        envelope._sent = signing._sent

        assert envelope.open(plain) is None


class TestEngines:
    async def test_known(self, agent: int, limits: Limits) -> None:
        """What is known of an engine spares the discovery."""
        engines, first, second = Engines(), Traffic(), Traffic()
        await name(agent, auth(), limits, engines=engines, traffic=first)
        await name(agent, auth(), limits, engines=engines, traffic=second)

        assert (first.packets, second.packets) == (2, 1)

    async def test_restart(self, tmp_path: Path) -> None:
        """After a restart of the agent the next scrape works: its boots and time are new."""
        port, engines = free_port(), Engines()
        for _ in range(2):
            with netsnmp.running(tmp_path / "agent", configuration(9), port):
                assert await name(port, auth(), _soon(), engines=engines) == b"edge1"
                engine = engines.at(f"udp://127.0.0.1:{port}")
                boots = engine.boots
        assert boots == 2

    async def test_replaced(self, tmp_path: Path) -> None:
        """Another device with the same address is met like a new one."""
        port, engines, seen = free_port(), Engines(), set()
        for folder in ("old", "new"):
            with netsnmp.running(tmp_path / folder, configuration(9), port):
                assert await name(port, auth(), _soon(), engines=engines) == b"edge1"
                seen.add(engines.at(f"udp://127.0.0.1:{port}").id)
        assert len(seen) == 2

    async def test_restart_within_session(self, tmp_path: Path) -> None:
        """A restart in the middle of a session is survived, too."""
        port, target = free_port(), Target("127.0.0.1")
        target = replace(target, port=port)
        with netsnmp.running(tmp_path / "agent", configuration(9), port):
            opening = session(target, auth(), _soon())
            opened = await opening.__aenter__()
            assert await opened.get([NAME], _soon())
        try:
            with netsnmp.running(tmp_path / "agent", configuration(9), port):
                assert await opened.get([NAME], _soon()) == {NAME: b"edge1"}
        finally:
            await opening.__aexit__(None, None, None)


def _soon() -> Limits:
    return Limits(asyncio.get_running_loop().time() + 30, timeout=1.5, retries=3)
