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
from exporter.protocols.snmp.message import (
    AUTH,
    LARGEST,
    PRIV,
    REPORTABLE,
    Message,
    Pattern,
    parsed,
)
from exporter.protocols.snmp.privacy import SALT

REPORT = 0xA8
IDENTITIES = 1 << 30  # message ids of four octets without a sign
NOTHING = b"\xa0\x0b\x02\x01\x00\x02\x01\x00\x02\x01\x00\x30\x00"  # a GET of no object
HEAD = b"\x02\x01\x03\x30\x10\x02\x04"  # msgVersion 3, and where msgID begins
SIZE = b"\x02\x02\x0f\xf0\x04\x01"  # msgMaxSize: what the codec can read
MODEL = b"\x02\x01\x03"  # msgSecurityModel: USM
FORGED = "its digest is wrong"
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
    _scope: tuple[bytes | None, bytes] = field(default=(None, b""), init=False, repr=False)
    _frame: tuple[object, bytes] = field(default=(None, b""), init=False, repr=False)
    _pattern: Pattern | None = field(default=None, init=False, repr=False)
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
        return ber.encode(ber.SEQUENCE, self._context() + pdu)

    def _context(self) -> bytes:
        """Return contextEngineID and contextName as they stand in messages."""
        known, scope = self._scope
        if known != self.engine.id:
            engine = self.context_engine_id or self.engine.id
            scope = ber.encode(ber.OCTETS, engine)
            scope += ber.encode(ber.OCTETS, self.auth.context_name.encode())
            self._scope = self.engine.id, scope
        return scope

    def _message(self, mine: Keys, engine: Engine, seconds: int, salt: bytes, data: bytes) -> bytes:
        header = HEAD + self._sent.to_bytes(4, "big") + self._framed(mine, engine, seconds)
        rest = bytes((ber.OCTETS, len(salt))) + salt + data
        message = ber.encode(ber.SEQUENCE, header + rest)
        if not mine.signer:
            return message
        end = len(message) - len(rest)
        signature = mine.signer.sign(message)
        return message[: end - len(signature)] + signature + message[end:]

    def _framed(self, mine: Keys, engine: Engine, seconds: int) -> bytes:
        """Return what stands between msgID and salt, with room for a digest.

        It is the same for a second.
        """
        known, frame = self._frame
        if known != (key := (engine.id, engine.boots, seconds)):
            frame = self._between(mine, engine, seconds)
            self._frame = key, frame
        return frame

    def _between(self, mine: Keys, engine: Engine, seconds: int) -> bytes:
        flags = REPORTABLE | (AUTH if mine.signer else 0) | (PRIV if mine.privacy else 0)
        name = self.auth.username.encode() if engine.id else b""
        parts = [
            ber.encode(ber.OCTETS, engine.id),
            ber.integer(engine.boots),
            ber.integer(seconds),
            ber.encode(ber.OCTETS, name),
            ber.encode(ber.OCTETS, bytes(mine.signer.sent if mine.signer else 0)),
            ber.encode(ber.OCTETS, bytes(SALT if mine.privacy else 0)),
        ]
        security = ber.encode(ber.OCTETS, ber.encode(ber.SEQUENCE, b"".join(parts)))
        return SIZE + bytes((flags,)) + MODEL + security[: -len(parts[-1])]

    def open(self, packet: bytes) -> bytes | Report | None:
        """Return the PDU in an answer, or the report it is; None where it answers nothing of ours.

        Raises Malformed where it cannot be read. A report may come without a digest: it only says
        why there is no answer, and teaches the engine's id and clock, which the next request tests.
        """
        pattern = self._pattern
        if (message := pattern and pattern.read(packet)) is None:
            message, pattern = parsed(packet), None
        if message.identity not in self._asked:
            return None
        mine = self._keys(message.engine)
        valid = proven(packet, message, mine)
        if not valid and message.flags & PRIV:
            raise Malformed(FORGED)
        pdu = _pdu(plain(packet, message, mine), self._context())
        if pdu[0] == REPORT:
            self.engine.learn(message.engine, message.boots, message.seconds)
            return Report(_counter(pdu))
        if not valid:
            raise Malformed(FORGED)
        if message.engine != self.engine.id or _weaker(message, mine):
            return None
        if message.user != self.auth.username.encode():
            return None
        if mine.signer:
            self.engine.learn(message.engine, message.boots, message.seconds)
        if pattern is None:
            self._pattern = Pattern.of(packet, message)
        return pdu

    def _keys(self, engine_id: bytes) -> Keys:
        known, mine = self._last
        if known != engine_id:
            mine = keys.localised(self.auth, engine_id)
            self._last = engine_id, mine
        return mine


def proven(packet: bytes, message: Message, mine: Keys) -> bool:
    """Return whether the digest is right; a message that needs none has a right one."""
    if not mine.signer or not message.flags & AUTH:
        return not mine.signer
    start, end = message.digest_at
    if end - start != mine.signer.sent:
        return False
    blank = packet[:start] + bytes(end - start) + packet[end:]
    return hmac.compare_digest(mine.signer.sign(blank), packet[start:end])


def _weaker(message: Message, mine: Keys) -> bool:
    return bool(mine.privacy) and not message.flags & PRIV


def plain(packet: bytes, message: Message, mine: Keys) -> bytes:
    """Return the scoped PDU of a message, decrypted where it is encrypted."""
    at, start, end = message.data_at
    if not message.flags & PRIV:
        return packet[at:end]
    if not mine.privacy or packet[at] != ber.OCTETS:
        raise Malformed("encrypted, though nothing says so")
    return mine.privacy.decrypt(packet[start:end], message.boots, message.seconds, message.salt)


def _pdu(scoped: bytes, context: bytes = b"") -> bytes:
    """Return the PDU in a scoped PDU, without the padding that may follow.

    Where it is long, without padding and in the context that is expected, comparing tells where.
    """
    size, at = len(scoped), 4 + len(context)
    if (
        context
        and at + 4 <= size <= LARGEST
        and scoped[:at] == b"\x30\x82" + (size - 4).to_bytes(2, "big") + context
    ):
        pdu = scoped[at:]
        if pdu[1:4] == b"\x82" + (size - at - 4).to_bytes(2, "big"):
            return pdu
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
