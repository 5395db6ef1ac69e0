"""The User-based Security Model of SNMPv3 (RFC 3412, 3414, 3826, 7860) around a PDU.

Every answer is checked: its digest, its level, its message id. Freshness comes from the message id,
which starts at random in each session and is under the digest, so an answer cannot be an old one.
"""

import hmac
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from exporter.config import Auth
from exporter.protocols.snmp import ber, keys
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.keys import Keys

AUTH, PRIV, REPORTABLE = 1, 2, 4  # msgFlags, RFC 3412 section 6.4
REPORT = 0xA8
USM = 3  # msgSecurityModel
LONGEST_ID = 32  # octets of an SnmpEngineID, RFC 3411
IDENTITIES = 1 << 30  # message ids of four octets without a sign
NOTHING = b"\xa0\x0b\x02\x01\x00\x02\x01\x00\x02\x01\x00\x30\x00"  # a GET of no object
HEAD = b"\x02\x01\x03\x30\x10\x02\x04"  # msgVersion 3, and where msgID begins
SIZE = b"\x02\x02\x0f\xf0\x04\x01"  # msgMaxSize: what the codec can read
MODEL = b"\x02\x01\x03"  # msgSecurityModel: USM
ENGINES = 65_536  # agents whose engines are remembered

Oid = tuple[int, ...]

USM_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
STALE = {(*USM_STATS, 2, 0), (*USM_STATS, 4, 0)}
"""usmStatsNotInTimeWindows and usmStatsUnknownEngineIDs: what we knew of the engine was old."""


@dataclass(slots=True)
class Engine:
    """What is known of an agent's SNMP engine: its id, and its clock in boots and seconds."""

    id: bytes = b""
    boots: int = 0
    started: float = field(default_factory=time.monotonic)

    def now(self) -> int:
        """Return the seconds of the engine's clock."""
        return max(int(time.monotonic() - self.started), 0)

    def learn(self, identity: bytes, boots: int, seconds: int) -> None:
        """Take over what the engine says of itself."""
        self.id, self.boots, self.started = identity, boots, time.monotonic() - seconds


class Engines:
    """Engines by the address they answered from; beyond `ENGINES` the oldest is forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, Engine] = {}

    def at(self, address: str) -> Engine:
        """Return the engine at an address; one never heard of has no id yet."""
        if (engine := self._known.pop(address, None)) is None:
            engine = Engine()
            if len(self._known) >= ENGINES:
                del self._known[next(iter(self._known))]
        self._known[address] = engine
        return engine


class Report(NamedTuple):
    """An agent's refusal of a message: the counter that it has raised."""

    counter: Oid


class _Message(NamedTuple):
    """A message taken apart; the `at` fields are where the octets stand."""

    identity: int
    flags: int
    engine: bytes
    boots: int
    seconds: int
    user: bytes
    digest_at: tuple[int, int]
    salt: bytes
    data_at: tuple[int, int, int]


def _somewhere() -> Iterator[int]:
    """Return a count from where nobody can guess."""
    return count(secrets.randbits(63))


@dataclass(slots=True)
class Envelope:
    """Wraps PDUs for one user at one engine, and unwraps the answers."""

    auth: Auth
    engine: Engine
    context_engine_id: bytes = b""
    _sent: int = field(default=IDENTITIES, init=False)
    _asked: set[int] = field(default_factory=set, init=False)
    _last: tuple[bytes | None, Keys] = field(default=(None, Keys()), init=False, repr=False)
    _written: tuple[tuple[bytes, int] | None, bytes, bytes] = field(
        default=(None, b"", b""), init=False, repr=False
    )
    _identities: Iterator[int] = field(default_factory=_somewhere, init=False, repr=False)
    _salts: Iterator[int] = field(default_factory=_somewhere, init=False, repr=False)

    def seal(self, pdu: bytes) -> bytes:
        """Return the message that carries a PDU, signed and encrypted as the auth says.

        Where the engine is not known it is one that makes the agent report it (RFC 3414 section 4).
        """
        self._sent = next(self._identities) % IDENTITIES | IDENTITIES
        self._asked.add(self._sent)
        if not self.engine.id:
            return self._message(Keys(), Engine(), 0, b"", self._scoped(NOTHING))
        return self.sealed(pdu)

    def forget(self) -> None:
        """Take no more answers to what was sealed so far."""
        self._asked.clear()

    def sealed(self, pdu: bytes) -> bytes:
        """Return a message with the identity of the one before."""
        engine = self.engine
        mine = self._keys(engine.id)
        seconds = engine.now()
        data, salt = self._scoped(pdu), b""
        if mine.privacy:
            salt = mine.privacy.salt(next(self._salts), engine.boots)
            data = mine.privacy.encrypt(data, engine.boots, seconds, salt)
            data = ber.encode(ber.OCTETS, data)
        return self._message(mine, engine, seconds, salt, data)

    def _scoped(self, pdu: bytes) -> bytes:
        context = self.auth.context_name.encode()
        engine = self.context_engine_id or self.engine.id
        parts = ber.encode(ber.OCTETS, engine) + ber.encode(ber.OCTETS, context) + pdu
        return ber.encode(ber.SEQUENCE, parts)

    def _message(self, mine: Keys, engine: Engine, seconds: int, salt: bytes, data: bytes) -> bytes:
        size = mine.digest.sent if mine.digest else 0
        flags = REPORTABLE | (AUTH if mine.digest else 0) | (PRIV if mine.privacy else 0)
        header = HEAD + self._sent.to_bytes(4, "big") + SIZE + bytes((flags,)) + MODEL
        tail = bytes((ber.OCTETS, len(salt))) + salt
        clock = ber.integer(engine.boots) + ber.integer(seconds)
        before, user = self._names(engine.id, size)
        security = ber.encode(ber.SEQUENCE, before + clock + user + tail)
        message = ber.encode(ber.SEQUENCE, header + ber.encode(ber.OCTETS, security) + data)
        if not mine.digest:
            return message
        end = len(message) - len(data) - len(tail)
        signature = hmac.digest(mine.auth, message, mine.digest.name)[:size]
        return message[: end - size] + signature + message[end:]

    def _names(self, engine_id: bytes, size: int) -> tuple[bytes, bytes]:
        """Return the engine, and the user with room for a digest, as they stand in messages."""
        known, before, user = self._written
        if known != (engine_id, size):
            name = self.auth.username.encode() if engine_id else b""
            before = ber.encode(ber.OCTETS, engine_id)
            user = ber.encode(ber.OCTETS, name) + ber.encode(ber.OCTETS, bytes(size))
            self._written = (engine_id, size), before, user
        return before, user

    def open(self, packet: bytes) -> bytes | Report | None:
        """Return the PDU in an answer, or the report it is; None where it answers nothing of ours.

        Raises Malformed where it cannot be read. A report may come without a digest: it only says
        why there is no answer, and teaches the engine's id and clock, which the next request tests.
        """
        message = _parsed(packet)
        if message.identity not in self._asked:
            return None
        mine = self._keys(message.engine)
        proven = _proven(packet, message, mine)
        pdu = _pdu(_plain(packet, message, mine))
        if pdu[0] == REPORT:
            self.engine.learn(message.engine, message.boots, message.seconds)
            return Report(_counter(pdu))
        if not proven:
            raise Malformed("its digest is wrong")
        if message.engine != self.engine.id or _weaker(message, mine):
            return None
        if message.user != self.auth.username.encode():
            return None
        if mine.digest:
            self.engine.learn(message.engine, message.boots, message.seconds)
        return pdu

    def _keys(self, engine_id: bytes) -> Keys:
        known, mine = self._last
        if known != engine_id:
            mine = keys.localised(self.auth, engine_id)
            self._last = engine_id, mine
        return mine


def _proven(packet: bytes, message: _Message, mine: Keys) -> bool:
    """Return whether the digest is right; a message that needs none has a right one."""
    if not mine.digest or not message.flags & AUTH:
        return not mine.digest
    start, end = message.digest_at
    if end - start != mine.digest.sent:
        return False
    blank = packet[:start] + bytes(end - start) + packet[end:]
    expected = hmac.digest(mine.auth, blank, mine.digest.name)[: mine.digest.sent]
    return hmac.compare_digest(expected, packet[start:end])


def _weaker(message: _Message, mine: Keys) -> bool:
    return bool(mine.privacy) and not message.flags & PRIV


def _parsed(packet: bytes) -> _Message:
    start, end = ber.content(packet, 0, len(packet), ber.SEQUENCE)
    version, at = ber.number(packet, start, end)
    if version != USM:
        raise Malformed(f"SNMP version {version}")
    head, after = ber.content(packet, at, end, ber.SEQUENCE)
    identity, at = ber.number(packet, head, after)
    _, at = ber.number(packet, at, after)
    flags_at, at = ber.content(packet, at, after, ber.OCTETS)
    if at != flags_at + 1:
        raise Malformed("msgFlags are not one octet")
    start, stop = ber.content(packet, after, end, ber.OCTETS)
    at, inner = ber.content(packet, start, stop, ber.SEQUENCE)
    engine_at = ber.content(packet, at, inner, ber.OCTETS)
    if engine_at[1] - engine_at[0] > LONGEST_ID:
        raise Malformed("the engine id is too long")
    boots, at = ber.number(packet, engine_at[1], inner)
    seconds, at = ber.number(packet, at, inner)
    user_at = ber.content(packet, at, inner, ber.OCTETS)
    digest_at = ber.content(packet, user_at[1], inner, ber.OCTETS)
    salt_at = ber.content(packet, digest_at[1], inner, ber.OCTETS)
    return _Message(
        identity,
        packet[flags_at],
        packet[slice(*engine_at)],
        boots,
        seconds,
        packet[slice(*user_at)],
        digest_at,
        packet[slice(*salt_at)],
        (stop, *ber.element(packet, stop, end)[1:]),
    )


def _plain(packet: bytes, message: _Message, mine: Keys) -> bytes:
    """Return the scoped PDU of a message, decrypted where it is encrypted."""
    at, start, end = message.data_at
    if not message.flags & PRIV:
        return packet[at:end]
    if not mine.privacy or packet[at] != ber.OCTETS:
        raise Malformed("encrypted, though nothing says so")
    return mine.privacy.decrypt(packet[start:end], message.boots, message.seconds, message.salt)


def _pdu(scoped: bytes) -> bytes:
    """Return the PDU in a scoped PDU, without the padding that may follow."""
    start, end = ber.content(scoped, 0, len(scoped), ber.SEQUENCE)
    _, at = ber.content(scoped, start, end, ber.OCTETS)
    _, at = ber.content(scoped, at, end, ber.OCTETS)
    return scoped[at : ber.element(scoped, at, end)[2]]


def _counter(pdu: bytes) -> Oid:
    _, at, end = ber.element(pdu, 0, len(pdu))
    for _ in ("request-id", "error-status", "error-index"):
        _, at = ber.number(pdu, at, end)
    at, end = ber.content(pdu, at, end, ber.SEQUENCE)
    at, end = ber.content(pdu, at, end, ber.SEQUENCE)
    return ber.oid(pdu, at, end)
