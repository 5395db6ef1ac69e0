"""Keys of SNMPv3 users: from passwords, localised to an engine (RFC 3414 A.2, RFC 7860).

AES keys longer than a digest are extended as draft-blumenthal-aes-usm-04 (AES192, AES256) or as
draft-reeder-snmpv3-usm-3desede-00 (AES192C, AES256C, the way of Cisco) says.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from gufo.snmp import user as gufo

from exporter.config import Auth
from exporter.protocols.snmp.privacy import CbcDes, CfbAes, Privacy

PASSWORDS = 1024  # whose master keys are remembered: each costs a megabyte of hashing
USERS = 65_536  # engines whose localised keys are remembered
INNER = bytes(octet ^ 0x36 for octet in range(256))
OUTER = bytes(octet ^ 0x5C for octet in range(256))


class Digest(NamedTuple):
    """An authentication protocol: its hash, how many octets of it are sent, gufo's key class."""

    name: str
    sent: int
    key: type[gufo.BaseAuthKey]


class Encryption(NamedTuple):
    """A privacy protocol: its cipher, the octets of its key, and how a short key is extended."""

    cipher: type[CbcDes] | type[CfbAes]
    octets: int
    extension: Literal["blumenthal", "reeder"] = "blumenthal"


DIGESTS = {
    "MD5": Digest("md5", 12, gufo.Md5Key),
    "SHA": Digest("sha1", 12, gufo.Sha1Key),
    "SHA224": Digest("sha224", 16, gufo.Sha224Key),
    "SHA256": Digest("sha256", 24, gufo.Sha256Key),
    "SHA384": Digest("sha384", 32, gufo.Sha384Key),
    "SHA512": Digest("sha512", 48, gufo.Sha512Key),
}
ENCRYPTIONS = {
    "DES": Encryption(CbcDes, 16),
    "AES": Encryption(CfbAes, 16),
    "AES192": Encryption(CfbAes, 24),
    "AES256": Encryption(CfbAes, 32),
    "AES192C": Encryption(CfbAes, 24, "reeder"),
    "AES256C": Encryption(CfbAes, 32, "reeder"),
}


class Signer:
    """HMAC (RFC 2104) with a key that is no longer than a block, cut to the octets that are sent.

    As section 4 of the RFC proposes, both pads are hashed once for all messages; hmac.digest does
    it for each, and looks the hash up each time.
    """

    def __init__(self, digest: Digest, key: bytes) -> None:
        self.key, self.sent = key, digest.sent
        self._inner, self._outer = hashlib.new(digest.name), hashlib.new(digest.name)
        padded = key.ljust(self._inner.block_size, b"\0")
        self._inner.update(padded.translate(INNER))
        self._outer.update(padded.translate(OUTER))

    def sign(self, message: bytes) -> bytes:
        """Return the digest of a message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()[: self.sent]


@dataclass(frozen=True, slots=True)
class Keys:
    """What a user signs and encrypts with at one engine; None where the level needs none."""

    signer: Signer | None = field(default=None, repr=False)
    privacy: Privacy | None = field(default=None, repr=False)


@lru_cache(USERS)
def localised(auth: Auth, engine_id: bytes) -> Keys:
    """Return the keys of an auth's user at an engine."""
    if auth.security_level == "noAuthNoPriv":
        return Keys()
    digest = DIGESTS[auth.auth_protocol]
    signer = Signer(digest, _localised(digest, auth.password.encode(), engine_id))
    if auth.security_level == "authNoPriv":
        return Keys(signer)
    encryption = ENCRYPTIONS[auth.priv_protocol]
    key = _localised(digest, auth.priv_password.encode(), engine_id)
    while len(key) < encryption.octets:
        key += _extension(digest, encryption, key, engine_id)
    return Keys(signer, encryption.cipher(key[: encryption.octets]))


def _extension(digest: Digest, encryption: Encryption, key: bytes, engine_id: bytes) -> bytes:
    if encryption.extension == "reeder":
        return _localised(digest, key, engine_id)
    return hashlib.new(digest.name, key).digest()


def _localised(digest: Digest, password: bytes, engine_id: bytes) -> bytes:
    return digest.key.get_localized_key(_master(digest, password), engine_id)


@lru_cache(PASSWORDS)
def _master(digest: Digest, password: bytes) -> bytes:
    return digest.key.get_master_key(password)
