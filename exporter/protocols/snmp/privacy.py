"""How SNMPv3 encrypts: DES in CBC mode (RFC 3414 section 8), AES in CFB mode (RFC 3826)."""

from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from exporter.protocols.snmp.ber import Malformed

WORD = 2**32
SALT = 8  # octets
DES_KEY, DES_BLOCK = 8, 8  # octets; the other half of a DES privacy key hides the salt
AES_BLOCK = 16  # octets


class Privacy(Protocol):
    """A cipher with its key; `boots` and `seconds` are the engine's clock."""

    def salt(self, number: int, boots: int) -> bytes:
        """Return the eight octets that make each message different."""

    def encrypt(self, data: bytes, boots: int, seconds: int, salt: bytes) -> bytes:
        """Return data as it is sent."""

    def decrypt(self, data: bytes, boots: int, seconds: int, salt: bytes) -> bytes:
        """Return data as it was, perhaps with padding behind it; raises Malformed."""


class CbcDes:
    """DES in CBC mode; TripleDES with one key three times is DES."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = TripleDES(key[:DES_KEY] * 3)
        self._mask = key[DES_KEY:]

    def salt(self, number: int, boots: int) -> bytes:
        """Return the engine's boots and the number."""
        return (boots % WORD * WORD + number % WORD).to_bytes(SALT, "big")

    def encrypt(self, data: bytes, _boots: int, _seconds: int, salt: bytes) -> bytes:
        """Return data as it is sent, padded to whole blocks."""
        encryptor = self._cipher(salt).encryptor()
        return encryptor.update(data + bytes(-len(data) % DES_BLOCK)) + encryptor.finalize()

    def decrypt(self, data: bytes, _boots: int, _seconds: int, salt: bytes) -> bytes:
        """Return data as it was, with its padding."""
        if len(salt) != SALT or len(data) % DES_BLOCK:
            raise Malformed("not encrypted with DES")
        decryptor = self._cipher(salt).decryptor()
        return decryptor.update(data) + decryptor.finalize()

    def _cipher(self, salt: bytes) -> Cipher[CBC]:
        vector = bytes(a ^ b for a, b in zip(self._mask, salt, strict=True))
        return Cipher(self._algorithm, CBC(vector))


class CfbAes:
    """AES in CFB mode (NIST SP 800-38A, 6.3), made of two contexts that last as long as the key.

    A context of its own would cost each message more than all the rest. What is combined with data
    is, to decrypt, each preceding block enciphered: one call in ECB mode. To encrypt, it is what
    CBC mode makes of the vector and the data, if the chain that the last message left is undone.
    """

    def __init__(self, key: bytes) -> None:
        self._blocks = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 - CFB is built on it
        self._chained = Cipher(AES(key), CBC(bytes(AES_BLOCK))).encryptor()
        self._chain = bytes(AES_BLOCK)

    def salt(self, number: int, _boots: int) -> bytes:
        """Return the number."""
        return (number % 2**64).to_bytes(SALT, "big")

    def encrypt(self, data: bytes, boots: int, seconds: int, salt: bytes) -> bytes:
        """Return data as it is sent."""
        first = _xor(self._chain, _vector(boots, seconds, salt))
        whole = -(-len(data) // AES_BLOCK) * AES_BLOCK
        stream = self._chained.update((first + data)[:whole])
        self._chain = stream[-AES_BLOCK:] or self._chain
        return _xor(stream, data)

    def decrypt(self, data: bytes, boots: int, seconds: int, salt: bytes) -> bytes:
        """Return data as it was."""
        if len(salt) != SALT:
            raise Malformed("not encrypted with AES")
        preceding = _vector(boots, seconds, salt) + data
        whole = -(-len(data) // AES_BLOCK) * AES_BLOCK
        return _xor(self._blocks.update(preceding[:whole]), data)


def _vector(boots: int, seconds: int, salt: bytes) -> bytes:
    return (boots % WORD * WORD + seconds % WORD).to_bytes(8, "big") + salt


def _xor(stream: bytes, data: bytes) -> bytes:
    size = len(data)
    mixed = int.from_bytes(stream[:size], "big") ^ int.from_bytes(data, "big")
    return mixed.to_bytes(size, "big")
