"""Agents that send what no agent should: nothing crashes, hangs, or becomes a value."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.config import Auth
from exporter.errors import Endless, ProtocolError
from exporter.protocols.snmp import Limits, Target, ber, conversation, header, pdus, session, usm
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.relay import LARGEST_MESSAGE, Stream
from exporter.protocols.snmp.usm import Engine, Envelope, Report
from tests.exporter.agent import Agent, Oid, Request, Value, encode, octets, parse, serve

COLUMN = "1.3.6.1.2.1.2.2.1.10"
BELOW = f"{COLUMN}."
PATIENCE = 0.02  # seconds; a hostile agent mostly ends a request by saying nothing of use
SLACK = 1.0  # seconds that a busy machine may be late

steady = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
thorough = settings(steady, max_examples=500)

tags = st.one_of(
    st.sampled_from([0x02, 0x04, 0x05, 0x06, 0x09, 0x40, 0x41, 0x43, 0x44, 0x46, 0x80, 0x81, 0x82]),
    st.integers(0, 255),
)
values = st.builds(Value, tags, st.binary(max_size=12))
arcs = st.one_of(st.integers(0, 200), st.sampled_from([2**31, 2**32 - 1, 2**32, 2**64, 2**70]))
below = st.lists(arcs, min_size=1, max_size=4).map(lambda index: (*parse(COLUMN), *index))
anywhere = st.lists(st.integers(0, 2**40), min_size=1, max_size=9).map(lambda o: (1, 3, *o))
bindings = st.lists(st.tuples(st.one_of(below, below, anywhere), values), max_size=40)
statuses = st.one_of(st.just(0), st.integers(-(2**40), 2**40))
cuts = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.binary(max_size=6)), max_size=3)


def damaged(packet: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    """Return a packet with some octets replaced by others, more or fewer."""
    for place, length, other in damage:
        at = int(place * len(packet))
        packet = packet[:at] + other + packet[at + length :]
    return packet


def walked(
    auth: Auth, reply: Callable[[Agent, Request], list[bytes]], patience: float = PATIENCE
) -> dict[str, object]:
    """Return what a walk of a hostile agent yields; nothing where it ends in a named error."""

    async def walk() -> dict[str, object]:
        async with serve({}, reply) as agent:
            now = asyncio.get_running_loop().time()
            limits = Limits(now + 10 * patience, patience, retries=0, max_repetitions=10)
            with suppress(ProtocolError):
                async with session(Target("127.0.0.1", agent.port), auth, limits) as opened:
                    got = dict(await opened.get([f"{BELOW}1", f"{BELOW}2"], limits))
                    assert set(got) <= {f"{BELOW}1", f"{BELOW}2"}
                    return dict(await opened.walk(COLUMN, limits))
        return {}

    started = time.monotonic()
    found = asyncio.run(walk())
    assert time.monotonic() - started < 10 * patience + SLACK
    return found


@steady
@given(st.sampled_from([1, 2]), bindings, statuses, cuts)
def test_any_answer(
    version: int,
    rows: list[tuple[Oid, Value]],
    status: int,
    damage: list[tuple[float, int, bytes]],
) -> None:
    """Whatever an agent answers, and however it is damaged, only what it sent can come of it."""
    auth = Auth(version=1 if version == 1 else 2)

    def reply(_agent: Agent, request: Request) -> list[bytes]:
        return [damaged(encode(request, rows, error=status), damage)]

    found = walked(auth, reply)

    assert all(oid.startswith(BELOW) for oid in found)
    if not damage:
        # Arcs end at 2^32 - 1 (RFC 2578, 3.5); the decoder takes what is beyond modulo that.
        assert set(found) <= {".".join(str(arc % 2**32) for arc in oid) for oid, _ in rows}


@steady
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4))
def test_noise(noise: list[bytes]) -> None:
    """Noise before the answer does not keep it from being heard."""
    rows = [((*parse(COLUMN), 7), octets("seven"))]

    def reply(_agent: Agent, request: Request) -> list[bytes]:
        return [
            *noise,
            encode(request, rows if len(request.oids[0]) == len(rows[0][0]) - 1 else []),
        ]

    assert walked(Auth(), reply, patience=2) == {f"{BELOW}7": b"seven"}


@pytest.mark.parametrize("packet", ["ffff", "30", "3084", "301b02010104067075626c6963a20e"])
def test_once_fatal(packet: str) -> None:
    """What made the decoder below panic is one unreadable answer."""
    assert walked(Auth(), lambda _agent, _request: [bytes.fromhex(packet)]) == {}


def test_absurd_arc() -> None:
    """An arc of thousands of octets costs no time, and no number too long to be written."""
    with pytest.raises(ber.Malformed, match="arc"):
        ber.oid(ber.encode(ber.OID, b"\x81" * 2200 + b"\x01"), 0, 2300)


def test_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent cannot fill the memory with long answers: the bound is named."""
    monkeypatch.setattr(conversation, "MAX_OCTETS", 1 << 20)
    errors = []

    def reply(_agent: Agent, request: Request) -> list[bytes]:
        row = request.oids[0][-1] if len(request.oids[0]) > len(parse(COLUMN)) else 0
        return [encode(request, [((*parse(COLUMN), row + 1), octets(b"x" * 3000))])]

    async def walk() -> None:
        async with serve({}, reply) as agent:
            limits = Limits(asyncio.get_running_loop().time() + 5, 1)
            async with session(Target("127.0.0.1", agent.port), Auth(), limits) as opened:
                try:
                    await opened.walk(COLUMN, limits)
                except Endless as error:
                    errors.append(str(error))

    asyncio.run(walk())
    assert errors[0].endswith("more than 1 MiB of answers")


SIGNER = Auth(
    version=3,
    username="ann",
    security_level="authPriv",
    auth_protocol="SHA256",
    password="correct horse",
    priv_protocol="AES",
    priv_password="battery staple",
)
ENGINE = b"\x80\x00\x1f\x88\x04agent"


def sealed(auth: Auth) -> tuple[Envelope, bytes]:
    """Return an envelope, and a right answer to what it has sent."""
    envelope = Envelope(auth, Engine(ENGINE, 3))
    return envelope, envelope.seal(b"\xa2\x0b\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x00")


@thorough
@given(cuts.filter(bool))
def test_envelope(damage: list[tuple[float, int, bytes]]) -> None:
    """A v3 answer that was changed in any octet is malformed or passed over, and no value."""
    envelope, packet = sealed(SIGNER)
    changed = damaged(packet, damage)
    with suppress(Malformed):
        found = envelope.open(changed)
        assert changed == packet or found is None or isinstance(found, Report)


@thorough
@given(st.binary(max_size=120))
def test_parsers(packet: bytes) -> None:
    """Every parser of ours answers arbitrary octets with a result or with Malformed."""
    for parser in (
        header.error_status,
        usm._pdu,
        usm._counter,
        pdus.community,
        pdus.identity,
        pdus.shortened,
        lambda pdu: pdus.renumbered(pdu, 7),
        Envelope(SIGNER, Engine(ENGINE)).open,
        Stream().cut,
    ):
        with suppress(Malformed):
            parser(packet)


@thorough
@given(st.lists(st.binary(max_size=300), max_size=5), st.lists(st.integers(1, 50), min_size=1))
def test_stream(contents: list[bytes], sizes: list[int]) -> None:
    """Messages over TCP are the same however the stream is cut into segments."""
    messages = [encode_message(content) for content in contents]
    data, stream, found = b"".join(messages), Stream(), []
    position, step = 0, 0
    while position < len(data):
        size = sizes[step % len(sizes)]
        found += stream.cut(data[position : position + size])
        position, step = position + size, step + 1

    assert found == messages
    assert stream.buffer == b""


def encode_message(content: bytes) -> bytes:
    return ber.encode(0x30, content)


@thorough
@given(bindings, st.integers(0, 2**31 - 1), st.lists(st.binary(min_size=600), max_size=2))
def test_shortened(rows: list[tuple[Oid, Value]], number: int, long: list[bytes]) -> None:
    """Long texts are cut out and nothing else changes; a new number changes only the number."""
    rows = [*rows, *((parse(COLUMN), octets(text)) for text in long)]
    request = Request(1, b"", 0, number, 0, 0, [])
    packet = encode(request, rows)
    _, at, end = pdus.community(packet)
    short, texts = pdus.shortened(packet[at:end])
    assert sorted(texts.values()) == sorted(long)
    for mark, text in texts.items():
        short = short.replace(ber.encode(ber.OCTETS, mark), ber.encode(ber.OCTETS, text))
    assert pdus.identity(short) == number
    if not long:
        assert pdus.renumbered(pdus.renumbered(short, 1), number) == packet[at:end]


def test_stream_of_nonsense() -> None:
    """A message over TCP that would not fit into memory is refused at its head."""
    head = b"\x30\x84" + (LARGEST_MESSAGE + 1).to_bytes(4, "big")
    with pytest.raises(Malformed, match="octets"):
        Stream().cut(head)


@thorough
@given(bindings, statuses, cuts, st.integers(0, 2**31 - 1), st.booleans())
def test_usual_head(
    rows: list[tuple[Oid, Value]],
    status: int,
    damage: list[tuple[float, int, bytes]],
    number: int,
    long: bool,  # noqa: FBT001
) -> None:
    """The fast look at the head of a message says what the thorough one says, or nothing."""
    rows = [*rows, (parse(COLUMN), octets("x" * 300))] if long else rows
    packet = damaged(encode(Request(1, b"public", 0, number, 0, 0, []), rows, status), damage)
    fast = header.usual_status(packet, pdus.head(Auth()))
    if fast is not None:
        assert fast == header.error_status(packet)


def test_usual_head_of_a_page() -> None:
    """A page as agents write it needs no thorough look."""
    rows = [((*parse(COLUMN), row), octets("x" * 20)) for row in range(20)]
    for number in (1, 200, 70_000, 2**31 - 1):
        packet = encode(Request(1, b"public", 0, number, 0, 0, []), rows, error=5)
        assert header.usual_status(packet, pdus.head(Auth())) == 5
