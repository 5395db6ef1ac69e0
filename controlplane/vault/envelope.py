"""The vault: secrets at rest under AES-256-GCM, each record with a data key of its own.

The data key is wrapped by the key-encryption key of the operator's file (envelope encryption).
Everything is bound to its place: the additional data is `table|record|field|key version`, so
a ciphertext moved to another row, field or key version does not open (NIST SP 800-38D).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controlplane.errors import ConfigurationError

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_VERSION = 1


@dataclass(frozen=True)
class Place:
    """Where a secret lies: the table and the record."""

    table: str
    record: UUID

    def bind(self, field_name: str, key_version: int) -> bytes:
        """Give the additional data that ties a ciphertext to its field."""
        return f"{self.table}|{self.record}|{field_name}|{key_version}".encode()


@dataclass(frozen=True)
class Sealed:
    """What is stored: the wrapped data key, the version of the key that wraps it, the secrets."""

    key_version: int
    data_key: bytes
    secrets: Mapping[str, bytes]


@dataclass(frozen=True)
class Vault:
    """Seals and opens the secrets of records with one key-encryption key."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < KEY_BYTES:
            raise ConfigurationError(
                f"the key of the vault has {len(self.key)} bytes, fewer than {KEY_BYTES}"
            )

    def seal(self, place: Place, secrets: Mapping[str, str]) -> Sealed:
        """Encrypt the secrets of a record under a fresh data key."""
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        wrapped = _encrypt(self.key[:KEY_BYTES], data_key, place.bind("data_key", KEY_VERSION))
        return Sealed(
            KEY_VERSION,
            wrapped,
            {
                name: _encrypt(data_key, secret.encode(), place.bind(name, KEY_VERSION))
                for name, secret in secrets.items()
            },
        )

    def open(self, place: Place, sealed: Sealed) -> dict[str, str]:
        """Decrypt the secrets of a record; raise ConfigurationError when the key is not theirs."""
        version = sealed.key_version
        try:
            data_key = _decrypt(
                self.key[:KEY_BYTES], sealed.data_key, place.bind("data_key", version)
            )
            return {
                name: _decrypt(data_key, ciphertext, place.bind(name, version)).decode()
                for name, ciphertext in sealed.secrets.items()
            }
        except InvalidTag:
            raise ConfigurationError(
                f"the vault's key does not open {place.table} {place.record}:"
                " another vault.key wrote it, or the row was altered"
            ) from None


def _encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _decrypt(key: bytes, stored: bytes, bound_to: bytes) -> bytes:
    return AESGCM(key).decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], bound_to)
