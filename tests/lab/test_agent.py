import itertools

import pytest

from lab import ber
from lab.agent import Agent
from lab.ber import Malformed, Oid
from lab.message import GET, GET_BULK, GET_NEXT, SET, V1, V2C
from lab.network import Network
from lab.table import Source

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
HC_IN_OCTETS: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 3)
ARISTA_7050SX_64: Oid = (1, 3, 6, 1, 4, 1, 30065, 1, 3011, 7050, 3741, 64)
BEYOND: Oid = (2, 99)


@pytest.fixture
def agent(network: Network) -> Agent:
    return Agent(Source(lambda: network.rows("core1")), b"public")


def ask(
    tag: int,
    *names: Oid,
    version: int = V2C,
    community: str = "public",
    counts: tuple[int, int] = (0, 0),
    request_id: int = 77,
) -> bytes:
    bindings = ber.sequence(
        ber.sequence((ber.object_identifier(name), ber.NULL_VALUE)) for name in names
    )
    pdu = b"".join((*map(ber.integer, (request_id, *counts)), bindings))
    return ber.sequence((ber.integer(version), ber.octets(community), ber.tlv(tag, pdu)))


def read(reply: bytes | None) -> tuple[int, int, int, list[tuple[Oid, bytes]]]:
    """Return request id, error status, error index and bindings of a response."""
    assert reply is not None
    at, end = ber.expect(reply, 0, ber.SEQUENCE)
    assert end == len(reply)
    _, at = ber.read_integer(reply, at)
    _, at = ber.expect(reply, at, ber.OCTET_STRING)
    at, _ = ber.expect(reply, at, 0xA2)
    request_id, at = ber.read_integer(reply, at)
    status, at = ber.read_integer(reply, at)
    index, at = ber.read_integer(reply, at)
    at, end = ber.expect(reply, at, ber.SEQUENCE)
    found = []
    while at < end:
        inner, at = ber.expect(reply, at, ber.SEQUENCE)
        name, inner = ber.read_oid(reply, inner)
        found.append((name, reply[inner:at]))
    return request_id, status, index, found


def test_get(agent: Agent) -> None:
    """GET answers what there is, and says of the rest that there is no such object."""
    _, status, _, bindings = read(agent.answer(ask(GET, SYS_OBJECT_ID, BEYOND)))

    assert status == 0
    assert bindings[0][1] == ber.object_identifier(ARISTA_7050SX_64)
    assert bindings[1] == (BEYOND, b"\x80\x00")


def test_get_next_walks_in_order(agent: Agent) -> None:
    """GETNEXT leads from object to object in ascending order to the end of the view."""
    name: Oid = (1, 0)
    seen = []
    for _ in range(5_000):
        _, _, _, [(name, value)] = read(agent.answer(ask(GET_NEXT, name)))
        if value == ber.END_OF_MIB_VIEW:
            break
        seen.append(name)

    assert seen == agent.source.table().oids
    assert all(a < b for a, b in itertools.pairwise(seen))


def test_get_bulk(agent: Agent) -> None:
    """GETBULK answers non-repeaters once and the others as often as asked."""
    request = ask(GET_BULK, SYS_DESCR, (1, 3, 6, 1, 2, 1, 2, 2, 1, 1), counts=(1, 4))

    _, _, _, bindings = read(agent.answer(request))

    assert [name for name, _ in bindings] == [
        SYS_OBJECT_ID,
        *((1, 3, 6, 1, 2, 1, 2, 2, 1, 1, index) for index in (1, 2, 3, 4)),
    ]


@pytest.mark.parametrize("repetitions", [1, 25, 2**31 - 1])
@pytest.mark.parametrize("datagram", [484, 1_472, 9_000])
def test_get_bulk_fits_a_datagram(network: Network, datagram: int, repetitions: int) -> None:
    """However much is asked for, a reply fits into the datagram, and fills it."""
    agent = Agent(Source(lambda: network.rows("core1")), b"public", datagram=datagram)

    reply = agent.answer(ask(GET_BULK, (1, 3, 6, 1, 2, 1, 2), counts=(0, repetitions)))

    assert reply is not None
    assert len(reply) <= datagram
    assert repetitions < 2**30 or len(reply) > datagram - 64


def test_get_bulk_at_the_end(agent: Agent) -> None:
    """Behind the last object GETBULK answers endOfMibView once, however often was asked."""
    _, _, _, bindings = read(agent.answer(ask(GET_BULK, BEYOND, counts=(0, 20))))

    assert bindings == [(BEYOND, ber.END_OF_MIB_VIEW)]


@pytest.mark.parametrize("request_id", [0, 1, 127, 128, 70_000, 2**31 - 1, -5])
def test_request_id_is_returned(agent: Agent, request_id: int) -> None:
    """A reply from memory carries the id of the question, of whatever length."""
    for _ in range(2):
        reply = read(agent.answer(ask(GET, SYS_DESCR, request_id=request_id)))
        assert reply[0] == request_id


def test_replies_live_for_a_tick() -> None:
    """Within a tick the answer stays the same; with the next tick it moves."""
    ticks = itertools.count()
    agent = Agent(Source(lambda: [(SYS_DESCR, ber.integer(next(ticks)))]), b"public")
    first = agent.answer(ask(GET, SYS_DESCR))
    again = agent.answer(ask(GET, SYS_DESCR))
    agent.source.expire()

    assert again == first
    assert agent.answer(ask(GET, SYS_DESCR)) != first


class TestVersion1:
    def test_no_such_name(self, agent: Agent) -> None:
        """SNMPv1 names the binding that does not exist and returns the question."""
        _, status, index, bindings = read(agent.answer(ask(GET, SYS_DESCR, BEYOND, version=V1)))

        assert (status, index) == (2, 2)
        assert bindings == [(SYS_DESCR, ber.NULL_VALUE), (BEYOND, ber.NULL_VALUE)]

    def test_no_wide_counters(self, agent: Agent) -> None:
        """SNMPv1 has no Counter64: GET does not find it, GETNEXT steps over it."""
        assert read(agent.answer(ask(GET, HC_IN_OCTETS, version=V1)))[1] == 2
        _, _, _, [(name, _)] = read(agent.answer(ask(GET_NEXT, HC_IN_OCTETS, version=V1)))
        assert name == (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 14, 1)


@pytest.mark.parametrize(("version", "status"), [(V1, 4), (V2C, 6)])
def test_nothing_can_be_set(agent: Agent, version: int, status: int) -> None:
    """SET is refused: readOnly in v1, noAccess in v2c."""
    assert read(agent.answer(ask(SET, SYS_DESCR, version=version)))[1:3] == (status, 1)


def test_too_big(network: Network) -> None:
    """A GET whose answer does not fit says so."""
    agent = Agent(Source(lambda: network.rows("core1")), b"public", datagram=484)

    _, status, _, bindings = read(agent.answer(ask(GET, *[SYS_DESCR] * 10)))

    assert (status, bindings) == (1, [])


def test_wrong_community_is_not_answered(agent: Agent) -> None:
    """A wrong community gets no answer at all."""
    assert agent.answer(ask(GET, SYS_DESCR, community="private")) is None


def test_a_silent_agent_does_not_answer(agent: Agent) -> None:
    """A device that is down gives no answer to a right question."""
    agent.silent = True

    assert agent.answer(ask(GET, SYS_DESCR)) is None


GOOD = ask(GET_BULK, SYS_DESCR, counts=(0, 5))


@pytest.mark.parametrize("size", range(len(GOOD)))
def test_truncated_requests_are_malformed(agent: Agent, size: int) -> None:
    """A request cut off anywhere is malformed, never another error."""
    with pytest.raises(Malformed):
        agent.answer(GOOD[:size])


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_damaged_requests_do_no_harm(agent: Agent, place: int) -> None:
    """Whatever byte is damaged, the agent answers, keeps silent, or calls it malformed."""
    for byte in (0x00, 0x7F, 0x80, 0x84, 0xFF):
        damaged = GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]
        try:
            reply = agent.answer(damaged)
        except Malformed:
            continue
        assert reply is None or reply[0] == ber.SEQUENCE


@pytest.mark.parametrize("version", [2, 3])
def test_other_versions_are_malformed(agent: Agent, version: int) -> None:
    """The lab speaks v1 and v2c."""
    with pytest.raises(Malformed):
        agent.answer(ask(GET, SYS_DESCR, version=version))
