"""What v3 messages are compared with instead of parsed is what parsing would say of them."""

import hmac
from contextlib import suppress
from dataclasses import replace

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import Auth
from exporter.protocols.snmp import ber, header, pdus
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.keys import DIGESTS, Signer
from exporter.protocols.snmp.message import Pattern, parsed
from exporter.protocols.snmp.privacy import CfbAes
from exporter.protocols.snmp.usm import Engine, Envelope, Report

thorough = settings(max_examples=400, deadline=None, derandomize=True, database=None)

ENGINE = b"\x80\x00\x1f\x88\x04agent"
PRIVATE = Auth(
    version=3,
    username="ann",
    security_level="authPriv",
    auth_protocol="SHA256",
    password="correct horse",
    priv_protocol="AES256",
    priv_password="battery staple",
)
SIGNED = replace(PRIVATE, security_level="authNoPriv")
OPEN = Auth(version=3, username="ann")
LEVELS = pytest.mark.parametrize("auth", [PRIVATE, SIGNED, OPEN], ids=lambda a: a.security_level)


def page(text: bytes = b"x" * 20, rows: int = 20) -> bytes:
    """Return a response of many rows."""
    binding = ber.encode(ber.SEQUENCE, b"\x06\x03\x2b\x06\x01" + ber.encode(ber.OCTETS, text))
    fields = b"\x02\x01\x01\x02\x01\x00\x02\x01\x00"
    return ber.encode(ber.RESPONSE, fields + ber.encode(ber.SEQUENCE, binding * rows))


def answered(envelope: Envelope, pdu: bytes, clock: int = 100) -> bytes:
    """Return what the agent answers to a request that the envelope seals."""
    envelope.seal(b"\xa0\x00")
    agent = Envelope(envelope.auth, Engine(ENGINE, 3))
    agent.engine.learn(ENGINE, 3, clock)
    agent._sent = envelope._sent
    return agent.sealed(pdu)


def warm(auth: Auth) -> Envelope:
    """Return an envelope that has opened a page, and knows what the agent's messages are like."""
    envelope = Envelope(auth, Engine(ENGINE, 3))
    assert envelope.open(answered(envelope, page())) == page()
    assert envelope._pattern is not None
    return envelope


class TestPattern:
    @LEVELS
    def test_next_page(self, auth: Auth) -> None:
        """The next page of the same second is read without parsing, and as parsing reads it."""
        envelope = warm(auth)
        packet = answered(envelope, page(b"other", 30))

        assert envelope._pattern is not None
        assert envelope._pattern.read(packet) == parsed(packet)
        assert envelope.open(packet) == page(b"other", 30)

    @LEVELS
    def test_later(self, auth: Auth) -> None:
        """A page with another clock is parsed; what follows it is compared with that one."""
        envelope = warm(auth)
        later = answered(envelope, page(), clock=70_000)

        assert envelope._pattern is not None
        assert envelope._pattern.read(later) is None
        assert envelope.open(later) == page()
        assert envelope._pattern.read(later) == parsed(later)

    @thorough
    @given(
        st.sampled_from([PRIVATE, SIGNED, OPEN]),
        st.lists(st.tuples(st.integers(0, 130), st.integers(0, 6), st.binary(max_size=6))),
        st.integers(0, 9),
    )
    def test_damaged(self, auth: Auth, damage: list[tuple[int, int, bytes]], cut: int) -> None:
        """Whatever is changed or cut off, a pattern says what parsing says, or nothing."""
        envelope = warm(auth)
        packet = answered(envelope, page())
        for at, length, other in damage:
            packet = packet[:at] + other + packet[at + length :]
        packet = packet[: len(packet) - cut]

        assert envelope._pattern is not None
        if (read := envelope._pattern.read(packet)) is not None:
            assert read == parsed(packet)

    @thorough
    @given(st.lists(st.tuples(st.integers(0, 90), st.binary(min_size=1, max_size=2)), max_size=2))
    def test_odd_first(self, damage: list[tuple[int, bytes]]) -> None:
        """A pattern of an oddly written message holds for messages of which parsing says so."""
        envelope = Envelope(OPEN, Engine(ENGINE, 3))
        first = answered(envelope, page())
        other = answered(envelope, page(b"other", 30))
        for at, octets in damage:
            first, other = (
                packet[:at] + octets + packet[at + len(octets) :] for packet in (first, other)
            )
        with suppress(Malformed):
            pattern = Pattern.of(first, parsed(first))
            if pattern is not None and (read := pattern.read(other)) is not None:
                assert read == parsed(other)

    @pytest.mark.parametrize("size", [0, 5, 14, 70, 70_000])
    def test_any_size(self, size: int) -> None:
        """Messages that are too short or too long for a pattern are left to the parser."""
        envelope = warm(PRIVATE)

        assert envelope._pattern is not None
        assert envelope._pattern.read(bytes(size)) is None


class TestForgery:
    @pytest.mark.parametrize("auth", [PRIVATE, SIGNED], ids=lambda a: a.security_level)
    def test_usual_prefix(self, auth: Auth) -> None:
        """A forged page is not believed, however much it begins like the pages before."""
        envelope = warm(auth)
        packet = answered(envelope, page())
        for at in (len(packet) - 1, parsed(packet).data_at[1], *parsed(packet).digest_at):
            with pytest.raises(Malformed):
                envelope.open(packet[:at] + bytes((packet[at] ^ 1,)) + packet[at + 1 :])
        assert envelope.open(packet) == page()

    def test_truncated_tag(self) -> None:
        """A digest that is right as far as it goes, but shorter, is no digest."""
        envelope = warm(PRIVATE)
        packet = answered(envelope, page())
        start, end = parsed(packet).digest_at
        short = bytearray(packet[: end - 4] + packet[end:])
        short[2:4] = (len(short) - 4).to_bytes(2, "big")
        security = short.index(b"\x04", 20)  # the security parameters, and the sequence in them
        for place in (security + 1, security + 3, start - 1):
            short[place] -= 4

        assert parsed(bytes(short)).digest_at == (start, end - 4)
        with pytest.raises(Malformed, match="digest"):
            envelope.open(bytes(short))

    @LEVELS
    @pytest.mark.parametrize("more", [-2, -1, 1, 2])
    def test_wrong_lengths(self, auth: Auth, more: int) -> None:
        """A page whose lengths and octets disagree is not taken for one like the last."""
        envelope = warm(auth)
        packet = answered(envelope, page())
        at = parsed(packet).data_at[0]
        data = int.from_bytes(packet[at + 2 : at + 4], "big") + more
        total = (len(packet) - 4 + more).to_bytes(2, "big")
        for changed in (
            packet[: at + 2] + data.to_bytes(2, "big") + packet[at + 4 :],
            packet[:2] + total + packet[4:],
        ):
            assert envelope._pattern is not None
            assert envelope._pattern.read(changed) is None

    @LEVELS
    def test_replayed(self, auth: Auth) -> None:
        """An answer to an earlier question is passed over, also one like the last."""
        envelope = warm(auth)
        packet = answered(envelope, page())
        envelope.forget()
        envelope.seal(b"\xa0\x00")

        assert envelope.open(packet) is None

    def test_other_user(self) -> None:
        """A page of another user is not taken for one like the last."""
        envelope = warm(OPEN)
        packet = answered(envelope, page()).replace(b"\x04\x03ann", b"\x04\x03eve")

        assert envelope.open(packet) is None

    def test_encrypted_report(self) -> None:
        """What is encrypted is not decrypted before its digest is found right."""
        envelope = warm(PRIVATE)
        report = b"\xa8" + page()[1:]
        packet = answered(envelope, report)
        start, end = parsed(packet).digest_at
        with pytest.raises(Malformed, match="digest"):
            envelope.open(packet[:start] + bytes(end - start) + packet[end:])

    def test_engine_gone(self) -> None:
        """After the engine at the address has changed, pages of the old one are passed over."""
        envelope = warm(PRIVATE)
        packet = answered(envelope, page())
        envelope.engine.learn(b"\x80other", 1, 1)

        assert not isinstance(envelope.open(packet), bytes | Report)


class TestKeys:
    @thorough
    @given(st.sampled_from(sorted(DIGESTS)), st.binary(max_size=300), st.binary(max_size=64))
    def test_signer(self, name: str, message: bytes, key: bytes) -> None:
        """A signer makes the HMAC of each message, whatever it has signed before."""
        digest = DIGESTS[name]
        signer = Signer(digest, key)
        signer.sign(b"another")

        assert signer.sign(message) == hmac.digest(key, message, digest.name)[: digest.sent]

    @thorough
    @given(st.lists(st.tuples(st.binary(max_size=80), st.integers(0, 2**33)), max_size=4))
    def test_chain(self, messages: list[tuple[bytes, int]]) -> None:
        """Each message is encrypted as CFB mode does it, whatever was encrypted before."""
        cipher, salt = CfbAes(bytes(range(32))), b"saltsalt"
        for data, clock in messages:
            vector = (clock % 2**32).to_bytes(4, "big") * 2 + salt
            expected = Cipher(AES(bytes(range(32))), CFB(vector)).encryptor().update(data)
            assert cipher.encrypt(data, clock, clock, salt) == expected


class TestAnswer:
    @thorough
    @given(
        st.integers(1, 2**31 - 1),
        st.integers(0, 200),
        st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=3)), max_size=3),
    )
    def test_usual(self, number: int, rows: int, damage: list[tuple[int, bytes]]) -> None:
        """The fast look at a response says what the thorough one says, or nothing."""
        request = ber.encode(ber.SEQUENCE, ber.integer(number))
        _, written = pdus.numbered(request)
        pdu = pdus.renumbered(page(rows=rows), number)
        for at, other in damage:
            pdu = pdu[:at] + other + pdu[at + len(other) :]
        status = header.usual_answer(pdu, written)
        if status is not None:
            assert status == header.pdu_status(pdu, 0, len(pdu))
            assert pdus.identity(pdu) == number
        elif not damage:
            assert not 256 <= len(pdu) <= header.LARGEST
