"""A message of SNMPv3 (RFC 3412 section 6, RFC 3414 section 2.4) taken apart.

Within a second an agent's messages differ in their lengths, msgID, digest, salt and data only. One
that is otherwise like one before it is compared with that, which is much faster than parsing.
"""

from typing import NamedTuple, Self

from exporter.protocols.snmp import ber
from exporter.protocols.snmp.ber import Malformed

AUTH, PRIV, REPORTABLE = 1, 2, 4  # msgFlags, RFC 3412 section 6.4
USM = 3  # msgSecurityModel
LONGEST_ID = 32  # octets of an SnmpEngineID, RFC 3411
ID_AT, ID_END = 11, 15  # where msgID stands behind lengths of three octets and of one
LARGEST = 65_535  # octets of what has lengths of three octets, as the pages of a walk have


class Message(NamedTuple):
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


class Pattern(NamedTuple):
    """What messages have in common: the octets before and after msgID, of the salt, of the data."""

    head: bytes
    body: bytes
    salt: bytes
    data: bytes
    message: Message

    @classmethod
    def of(cls, packet: bytes, message: Message) -> Self | None:
        """Return the pattern of a message; None where it is written in an unusual way."""
        at = message.data_at[0]
        salt, data = bytes((ber.OCTETS, len(message.salt))), packet[at : at + 2]
        body = packet[ID_END : message.digest_at[0]]
        made = cls(packet[4:ID_AT], body, salt, data, message)
        usual = packet[8] < ber.LONG and packet[9:ID_AT] == b"\x02\x04" and data[1:] == b"\x82"
        return made if usual and made.read(packet) == message else None

    def read(self, packet: bytes) -> Message | None:
        """Return what `parsed` says of a packet with this pattern, None where it has another."""
        head, body, salt, data, known = self
        _, flags, engine, boots, seconds, user, digest_at, _, (at, _, _) = known
        size, (digest, after) = len(packet), digest_at
        if (
            not at + 4 <= size <= LARGEST
            or packet[:ID_AT] != b"\x30\x82" + (size - 4).to_bytes(2, "big") + head
            or packet[ID_END:digest] != body
            or packet[after : after + 2] != salt
            or packet[at : at + 4] != data + (size - at - 4).to_bytes(2, "big")
        ):
            return None
        identity = int.from_bytes(packet[ID_AT:ID_END], "big", signed=True)
        salt = packet[after + 2 : at]
        where = at, at + 4, size
        return Message(identity, flags, engine, boots, seconds, user, digest_at, salt, where)


def parsed(packet: bytes) -> Message:
    """Return a message taken apart; raises Malformed where it is none."""
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
    return Message(
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
