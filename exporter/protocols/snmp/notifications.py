"""Traps and informs of SNMP v1, v2c and v3, taken out of datagrams, and the answers to informs.

A v1 trap is told as the v2c one that RFC 3584 (section 3.1) makes of it. Of a v3 trap the sender's
engine is the authority on keys and clock, of an inform it is ours (RFC 3412 section 7.1.9); who
does not know us yet learns both from a report, as from any agent (RFC 3414 section 4).
"""

import hashlib
import hmac
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from exporter.config import Auth
from exporter.profiles.values import Value
from exporter.protocols.snmp import ber, keys, usm
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.keys import Keys
from exporter.protocols.snmp.message import AUTH, PRIV, REPORTABLE, Message, parsed
from exporter.protocols.snmp.usm import USM_STATS, Engine, Engines, Oid

TRAP_V1, INFORM, TRAP = 0xA4, 0xA6, 0xA7
V1, V2C, V3 = 0, 1, 3  # msgVersion
LARGEST = 65_507  # octets of a datagram's content, which we can take
WINDOW = 150  # seconds that a message may be late (RFC 3414 section 2.2.3)
BINDINGS = 64  # of one notification that are looked at; any known one has less than twenty
LONGEST_OID = 128  # arcs (RFC 2578 section 3.5)
IPV4 = 4  # octets of an IpAddress
WIDEST = 9  # octets of a number; Counter64 takes that many
BORN = 1_577_836_800  # 2020 in Unix seconds, from where the boots of our engine are counted

UPTIME = "1.3.6.1.2.1.1.3.0"
TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
TRAPS = "1.3.6.1.6.3.1.1.5"  # snmpTraps, whose children are the generic traps from 1
ENTERPRISE = "1.3.6.1.6.3.1.1.4.3.0"
ADDRESS = "1.3.6.1.6.3.18.1.3.0"
SPECIFIC = 6  # generic-trap of those that vendors define
UNKNOWN_ENGINE: Oid = (*USM_STATS, 4, 0)
NOT_IN_WINDOW: Oid = (*USM_STATS, 2, 0)

INTEGER, OCTETS, NULL, OBJECT = 0x02, 0x04, 0x05, 0x06
IP_ADDRESS, COUNTER, GAUGE, TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NUMBERS = frozenset({COUNTER, GAUGE, TICKS, COUNTER64})


class Refused(Exception):
    """A notification is not believed; `reason` says why in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Notification:
    """What a device tells: which trap, its uptime in hundredths of a second, and the varbinds."""

    oid: str
    uptime: int
    bindings: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a datagram holds, if it holds a notification, and what to answer, if anything."""

    notification: Notification | None
    answer: bytes = b""


def engine_of(name: str) -> Engine:
    """Return our engine: its id follows from a name, so that it is the same after a restart.

    Its boots are seconds since 2020, which never repeat and need no file to be remembered in.
    """
    digest = hashlib.sha256(name.encode()).digest()[:12]
    # RFC 3411 SnmpEngineID: the first bit set, enterprise 0, format 5 (octets).
    return Engine(bytes.fromhex("8000000005") + digest, int(time.time()) - BORN)


@dataclass(slots=True)
class Opener:
    """Opens datagrams, as the owner of an engine that informs can be sent to."""

    engine: Engine
    _senders: Engines = field(default_factory=Engines, init=False, repr=False)
    _salts: Iterator[int] = field(default_factory=lambda: count(1), init=False, repr=False)

    def open(
        self, packet: bytes, auths: Iterable[Auth], sender: str = "", *, anybody: bool = False
    ) -> Opened:
        """Return what a device with these auths sent; any community will do of `anybody`.

        The clocks of engines are kept apart by `sender`: whoever sends may claim any engine id.
        Raises Malformed where it is no notification, and Refused where it is not the device's.
        """
        start, end = ber.content(packet, 0, len(packet), ber.SEQUENCE)
        version, at = ber.number(packet, start, end)
        if version == V3:
            return self._user_based(packet, [auth for auth in auths if auth.version == V3], sender)
        if version not in {V1, V2C}:
            raise Malformed(f"SNMP version {version}")
        given, at = ber.content(packet, at, end, ber.OCTETS)
        communities = [auth.community.encode() for auth in auths if auth.version != V3]
        shown, pdu = packet[given:at], packet[at:end]
        if not anybody and not any(hmac.compare_digest(shown, one) for one in communities):
            raise Refused("wrong_community")
        if (pdu[:1] == bytes((TRAP_V1,))) != (version == V1):
            raise Malformed("a PDU of another version")
        # RFC 3416 section 4.2.7: the answer has the same variable bindings.
        answer = (
            packet[:at] + _answer(pdu) + packet[end:] if pdu.startswith(bytes((INFORM,))) else b""
        )
        return Opened(read(pdu), answer)

    def _user_based(self, packet: bytes, auths: list[Auth], sender: str) -> Opened:
        message = parsed(packet)
        if not message.engine and message.flags & REPORTABLE:
            return Opened(None, self._report(message, UNKNOWN_ENGINE, b"", Keys()))
        proven = _proven(packet, message, auths)
        if message.engine != self.engine.id:
            self._timely(message, proven[0], sender)
            return Opened(read(_deciphered(packet, message, proven).pdu, only=TRAP))
        if proven[0].signer and not self._in_window(message):
            return Opened(None, self._report(message, NOT_IN_WINDOW, message.user, proven[0]))
        mine, context, pdu = _deciphered(packet, message, proven)
        told = read(pdu, only=INFORM)
        scoped = ber.encode(ber.SEQUENCE, context + _answer(pdu))
        return Opened(told, self._sealed(message, message.flags & ~REPORTABLE, mine, scoped))

    def _timely(self, message: Message, mine: Keys, sender: str) -> None:
        """Raise Refused where a trap is older than what its engine sent before (RFC 3414, 3.2.7b).

        Without a signature nothing is known of its age.
        """
        if not mine.signer:
            return
        engine = self._senders.at(f"{message.engine.hex()} {sender}")
        known = (engine.boots, engine.now())
        if engine.id and (message.boots, message.seconds + WINDOW) < known:
            raise Refused("not_in_time_window")
        if not engine.id or (message.boots, message.seconds) > known:
            engine.learn(message.engine, message.boots, message.seconds)

    def _in_window(self, message: Message) -> bool:
        late = abs(message.seconds - self.engine.now())
        return message.boots == self.engine.boots and late <= WINDOW

    def _report(self, message: Message, counter: Oid, user: bytes, mine: Keys) -> bytes:
        """Return what tells a sender our engine and its clock; signed where it can be."""
        name = ".".join(map(str, counter))
        binding = ber.encode(ber.SEQUENCE, ber.name(name) + ber.encode(COUNTER, b"\x01"))
        fields = b"\x02\x01\x00" * 3 + ber.encode(ber.SEQUENCE, binding)
        context = ber.encode(OCTETS, self.engine.id) + ber.encode(OCTETS, b"")
        scoped = ber.encode(ber.SEQUENCE, context + ber.encode(usm.REPORT, fields))
        signed = Keys(mine.signer)
        to = message._replace(user=user)
        return self._sealed(to, AUTH if mine.signer else 0, signed, scoped)

    def _sealed(self, to: Message, flags: int, mine: Keys, data: bytes) -> bytes:
        """Return a message of ours in answer to another, signed and encrypted as `flags` say."""
        engine, seconds, salt = self.engine, self.engine.now(), b""
        if mine.privacy and flags & PRIV:
            salt = mine.privacy.salt(next(self._salts), engine.boots)
            data = mine.privacy.encrypt(data, engine.boots, seconds, salt)
            data = ber.encode(OCTETS, data)
        head = (
            *(ber.integer(to.identity), ber.integer(LARGEST)),
            *(ber.encode(OCTETS, bytes((flags,))), ber.integer(V3)),
        )
        security = (
            *(ber.encode(OCTETS, engine.id), ber.integer(engine.boots), ber.integer(seconds)),
            ber.encode(OCTETS, to.user),
            ber.encode(OCTETS, bytes(mine.signer.sent if mine.signer else 0)),
            ber.encode(OCTETS, salt),
        )
        parameters = ber.encode(OCTETS, ber.encode(ber.SEQUENCE, b"".join(security)))
        whole = ber.integer(V3) + ber.encode(ber.SEQUENCE, b"".join(head)) + parameters + data
        made = ber.encode(ber.SEQUENCE, whole)
        if not mine.signer:
            return made
        end = len(made) - len(data) - len(security[-1])
        signature = mine.signer.sign(made)
        return made[: end - len(signature)] + signature + made[end:]


class Deciphered(NamedTuple):
    """What a message carries, and the keys that opened it; the context is as it stands in it."""

    keys: Keys
    context: bytes
    pdu: bytes


def _proven(packet: bytes, message: Message, auths: Iterable[Auth]) -> list[Keys]:
    """Return the keys with which the user may have sent a message; Refused where there are none.

    They differ in what they encrypt with at most: a digest says nothing of that.
    """
    found = []
    for auth in auths:
        if auth.username.encode() != message.user:
            continue
        mine = keys.localised(auth, message.engine)
        if bool(mine.privacy) == bool(message.flags & PRIV) and usm.proven(packet, message, mine):
            found.append(mine)
    if not found:
        raise Refused("wrong_credentials")
    return found


def _deciphered(packet: bytes, message: Message, proven: Iterable[Keys]) -> Deciphered:
    """Return what a message carries; Refused where it was encrypted with another password."""
    for mine in proven:
        try:
            return Deciphered(mine, *_scope(usm.plain(packet, message, mine)))
        except Malformed:
            if not mine.privacy:
                raise
    raise Refused("wrong_credentials")


def read(pdu: bytes, only: int | None = None) -> Notification:
    """Return the notification in a PDU; raises Malformed where it is none, or another kind."""
    tag, at, end = ber.element(pdu, 0, len(pdu))
    if tag == TRAP_V1 and only is None:
        return _translated(pdu, at, end)
    if tag not in {TRAP, INFORM} or only not in {None, tag}:
        raise Malformed(f"tag {tag:#x} where a notification belongs")
    for _ in ("request-id", "error-status", "error-index"):
        _, at = ber.number(pdu, at, end)
    bindings = list(_bindings(pdu, at, end))
    told = dict(bindings)
    if not isinstance(oid := told.get(TRAP_OID), str):
        raise Malformed("no snmpTrapOID")
    uptime = told.get(UPTIME)
    rest = tuple(one for one in bindings if one[0] not in {UPTIME, TRAP_OID})
    return Notification(oid, uptime if isinstance(uptime, int) else 0, rest)


def _translated(pdu: bytes, at: int, end: int) -> Notification:
    """Return a v1 trap as RFC 3584, section 3.1, translates it."""
    start, stop = ber.content(pdu, at, end, OBJECT)
    enterprise = str(_value(OBJECT, pdu[start:stop]))
    start, stop = ber.content(pdu, stop, end, IP_ADDRESS)
    address = _value(IP_ADDRESS, pdu[start:stop])
    generic, at = ber.number(pdu, stop, end)
    specific, at = ber.number(pdu, at, end)
    start, stop = ber.content(pdu, at, end, TICKS)
    uptime = _value(TICKS, pdu[start:stop])
    known = 0 <= generic < SPECIFIC
    oid = f"{TRAPS}.{generic + 1}" if known else f"{enterprise}.0.{specific}"
    bindings = [*_bindings(pdu, stop, end), (ADDRESS, address), (ENTERPRISE, enterprise)]
    return Notification(oid, uptime if isinstance(uptime, int) else 0, tuple(bindings))


def _bindings(pdu: bytes, at: int, end: int) -> Iterator[tuple[str, Value]]:
    at, end = ber.content(pdu, at, end, ber.SEQUENCE)
    for _ in range(BINDINGS):
        if at >= end:
            return
        start, stop = ber.content(pdu, at, end, ber.SEQUENCE)
        name, name_end = ber.content(pdu, start, stop, OBJECT)
        tag, value, value_end = ber.element(pdu, name_end, stop)
        yield str(_value(OBJECT, pdu[name:name_end])), _value(tag, pdu[value:value_end])
        at = stop


def _value(tag: int, content: bytes) -> Value:
    """Return a value as a session of polling would; None is what it has no type for."""
    if tag == OBJECT:
        encoded = ber.encode(OBJECT, content)
        arcs = ber.oid(encoded, 0, len(encoded))
        if len(arcs) > LONGEST_OID:
            raise Malformed("an OID is too long")
        return ".".join(map(str, arcs))
    if tag == INTEGER or tag in NUMBERS:
        if not 0 < len(content) <= WIDEST:
            raise Malformed("a number is empty or too long")
        return int.from_bytes(content, "big", signed=tag == INTEGER)
    if tag == IP_ADDRESS and len(content) == IPV4:
        return ".".join(map(str, content))
    return content if tag in {OCTETS, OPAQUE} else None


def _answer(pdu: bytes) -> bytes:
    """Return the response to an inform."""
    return bytes((ber.RESPONSE,)) + pdu[1:]


def _scope(scoped: bytes) -> tuple[bytes, bytes]:
    """Return contextEngineID and contextName as they stand in a scoped PDU, and the PDU."""
    start, end = ber.content(scoped, 0, len(scoped), ber.SEQUENCE)
    _, at = ber.content(scoped, start, end, OCTETS)
    _, at = ber.content(scoped, at, end, OCTETS)
    return scoped[start:at], scoped[at : ber.element(scoped, at, end)[2]]
