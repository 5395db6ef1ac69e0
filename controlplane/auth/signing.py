"""The keys that sign access tokens: in the database, sealed by the vault, so replicas share them.

The newest key signs and every one that is still kept verifies. Whoever issues a token reads which
is the newest, and whoever meets a key id for the first time looks it up: a rotation on one replica
is known to all with the next token, and no request fails. A process trusts what it read for
RECHECK_SECONDS, so a key that was dropped is dead everywhere after that.
"""

import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import queries
from controlplane.auth.models import SigningKey
from controlplane.database import now
from controlplane.vault import Place, Sealed, Vault

KEY_BYTES = 32
RECHECK_SECONDS = 10.0
LEEWAY = timedelta(minutes=1)  # of the clocks of replicas


@dataclass(frozen=True)
class Key:
    """A signing key in the clear; `id` is the `kid` of the tokens it signs."""

    id: UUID
    secret: bytes = field(repr=False)


class SigningKeys:
    """Opens the keys of the database, and remembers them for a while."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: dict[UUID, tuple[float, Key]] = {}

    async def current(self, session: AsyncSession) -> Key:
        """Give the key that signs; the very first one is made here."""
        row = await session.scalar(queries.newest_signing_key())
        if row is None:
            row = await _make_first(session, self._vault)
        return self._remember(row)

    async def find(self, session: AsyncSession, key_id: UUID) -> Key | None:
        """Give the key of this id while it verifies."""
        remembered = self._known.get(key_id)
        if remembered is not None and time.monotonic() < remembered[0]:
            return remembered[1]
        row = await session.scalar(queries.signing_key(key_id, now()))
        if row is None:
            self._known.pop(key_id, None)
            return None
        return self._remember(row)

    def _remember(self, row: SigningKey) -> Key:
        key = Key(row.id, _open(self._vault, row))
        self._known[row.id] = time.monotonic() + RECHECK_SECONDS, key
        return key


async def rotate(
    session: AsyncSession, vault: Vault, lifetime: float, *, drop: bool = False
) -> UUID:
    """Have a new key sign; old ones verify until their tokens, `lifetime` seconds, are gone.

    `drop` ends the old keys, and with them every access token, at once: for keys that leaked.
    """
    await session.execute(queries.lock_signing_keys())
    await session.execute(queries.delete_signing_keys(None if drop else now()))
    if not drop:
        until = now() + timedelta(seconds=lifetime) + LEEWAY
        await session.execute(queries.retire_signing_keys(until))
    key = _seal(vault)
    session.add(key)
    await session.flush()
    return key.id


async def _make_first(session: AsyncSession, vault: Vault) -> SigningKey:
    await session.execute(queries.lock_signing_keys())
    row = await session.scalar(queries.newest_signing_key())
    if row is None:
        row = _seal(vault)
        session.add(row)
        await session.flush()
    return row


def _place(key_id: UUID) -> Place:
    return Place(SigningKey.__tablename__, key_id)


def _seal(vault: Vault) -> SigningKey:
    key = SigningKey(key_version=0, data_key=b"", secret=b"")
    sealed = vault.seal(_place(key.id), {"secret": secrets.token_hex(KEY_BYTES)})
    key.key_version, key.data_key = sealed.key_version, sealed.data_key
    key.secret = sealed.secrets["secret"]
    return key


def _open(vault: Vault, row: SigningKey) -> bytes:
    sealed = Sealed(row.key_version, row.data_key, {"secret": row.secret})
    return bytes.fromhex(vault.open(_place(row.id), sealed)["secret"])
