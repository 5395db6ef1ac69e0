"""Seal and open the secrets of a record under AES-256-GCM, with a data key of its own.

A key of the ring wraps the data key (envelope encryption), so that a new key of the ring means to
wrap data keys anew and leaves secrets alone. Everything is bound to its place: the additional data
is `table|record|field|key version`, so a ciphertext that is altered, or moved to another table,
row, field or key version, does not open (NIST SP 800-38D). The version in the additional data of
secrets is the one that they were first sealed under; it stands before the wrapped data key.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controlplane.errors import ConfigurationError, Unreadable
from controlplane.vault.ring import KEY_BYTES, Ring, UnknownKey

log = logging.getLogger(__name__)

NONCE_BYTES = 12
VERSION_BYTES = 4


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
    """What is stored: the version of the key that wraps the data key, that, and the secrets."""

    key_version: int
    data_key: bytes
    secrets: Mapping[str, bytes]


def _nowhere(_place: Place) -> None:
    """Count nothing."""


@dataclass(frozen=True)
class Vault:
    """Seals and opens the secrets of records; `refused` is told of each that does not open."""

    ring: Ring
    refused: Callable[[Place], None] = field(default=_nowhere, repr=False)

    def __post_init__(self) -> None:
        try:
            self.ring.key(self.ring.current())
        except UnknownKey as unknown:
            raise ConfigurationError(f"the vault: {unknown.detail}; `chm init` makes one") from None

    def seal(self, place: Place, secrets: Mapping[str, str]) -> Sealed:
        """Encrypt the secrets of a record under a fresh data key."""
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        version = self.ring.current()
        return Sealed(
            version,
            self._wrap(place, data_key, version, version),
            {
                name: _encrypt(data_key, secret.encode(), place.bind(name, version))
                for name, secret in secrets.items()
            },
        )

    def open(self, place: Place, sealed: Sealed) -> dict[str, str]:
        """Decrypt the secrets of a record; raise Unreadable where they were altered or moved."""
        data_key, first = self._unwrap(place, sealed.key_version, sealed.data_key)
        try:
            return {
                name: _decrypt(data_key, ciphertext, place.bind(name, first)).decode()
                for name, ciphertext in sealed.secrets.items()
            }
        except InvalidTag:
            raise self._refusal(place, "a secret was altered or moved") from None

    def rewrap(self, place: Place, key_version: int, wrapped: bytes) -> tuple[int, bytes]:
        """Wrap a data key with the newest key of the ring; give that version and the outcome."""
        data_key, first = self._unwrap(place, key_version, wrapped)
        version = self.ring.current()
        return version, self._wrap(place, data_key, version, first)

    def _wrap(self, place: Place, data_key: bytes, version: int, first: int) -> bytes:
        wrapped = _encrypt(self.ring.key(version), data_key, place.bind("data_key", version))
        return first.to_bytes(VERSION_BYTES, "big") + wrapped

    def _unwrap(self, place: Place, version: int, stored: bytes) -> tuple[bytes, int]:
        first = int.from_bytes(stored[:VERSION_BYTES], "big")
        bound_to = place.bind("data_key", version)
        try:
            return _decrypt(self.ring.key(version), stored[VERSION_BYTES:], bound_to), first
        except InvalidTag:
            raise self._refusal(place, "another key wrapped it, or it was altered") from None
        except UnknownKey as unknown:
            raise self._refusal(place, unknown.detail) from None

    def _refusal(self, place: Place, reason: str) -> Unreadable:
        log.error("the vault does not open %s %s: %s", place.table, place.record, reason)
        self.refused(place)
        return Unreadable(
            f"the stored secrets of {place.table} {place.record} do not open: {reason}"
        )


def _encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _decrypt(key: bytes, stored: bytes, bound_to: bytes) -> bytes:
    nonce, ciphertext = stored[:NONCE_BYTES], stored[NONCE_BYTES:]
    if len(nonce) < NONCE_BYTES:
        raise InvalidTag
    return AESGCM(key).decrypt(nonce, ciphertext, bound_to)
