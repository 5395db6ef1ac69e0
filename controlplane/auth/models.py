"""The tables of logging in: tokens, sessions, signing keys, one-time secrets, second factors."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words

DIGEST = 64  # SHA-256 in hex; enough for secrets of 256 random bits


class ServiceToken(SQLModel, table=True):
    """What a service shows instead of a login; only the hash of its secret is kept."""

    __tablename__ = "service_tokens"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=64)
    secret_hash: str = Field(max_length=DIGEST)
    permissions: list[str] = Field(sa_type=JSON)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    def good(self, moment: datetime) -> bool:
        """Say whether it has not expired."""
        return self.expires_at is None or moment < self.expires_at


class ApiToken(SQLModel, table=True):
    """What a person's program shows; it may never do more than its owner may."""

    __tablename__ = "api_tokens"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=64)
    secret_hash: str = Field(max_length=DIGEST)
    scopes: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)  # empty: from everywhere
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_address: str = Field(default="", max_length=64)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delivery(StrEnum):
    """How a client keeps its login: a program holds tokens, a browser a cookie."""

    BEARER = "bearer"
    COOKIE = "cookie"


class LoginSession(SQLModel, table=True):
    """One login of one person: alive until it is revoked, idle too long, or too old.

    `family_hash` stays as long as the session: whoever shows the family's secret with another
    than the current one shows a refresh token that was used before.
    """

    __tablename__ = "sessions"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    delivery: Delivery = Field(sa_type=words(Delivery))
    family_hash: str = Field(max_length=DIGEST)
    secret_hash: str = Field(max_length=DIGEST)
    previous_hash: str | None = Field(default=None, max_length=DIGEST)
    rotated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    address: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=256)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    authenticated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    last_used_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    idle_expires_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_why: str | None = Field(default=None, max_length=64)


class SigningKey(SQLModel, table=True):
    """A key that signs access tokens, sealed by the vault; the newest signs, all verify."""

    __tablename__ = "signing_keys"

    id: UUID = Field(default_factory=uuid4, primary_key=True)  # the `kid` of its tokens
    key_version: int
    data_key: bytes
    secret: bytes
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    verifies_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Purpose(StrEnum):
    """What a one-time secret is good for, and for nothing else."""

    INVITATION = "invitation"
    RESET = "reset"
    SECOND_FACTOR = "second_factor"


class OneTimeSecret(SQLModel, table=True):
    """A secret that lets its bearer do one thing once; the row goes when it is used."""

    __tablename__ = "one_time_secrets"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    purpose: Purpose = Field(sa_type=words(Purpose))
    secret_hash: str = Field(max_length=DIGEST)
    attempts: int = 0
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class FormerPassword(SQLModel, table=True):
    """The hash of a password a person had before."""

    __tablename__ = "former_passwords"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    password_hash: str
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Totp(SQLModel, table=True):
    """A person's generator of one-time codes (RFC 6238), its secret sealed by the vault."""

    __tablename__ = "totps"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", unique=True)
    key_version: int
    data_key: bytes
    secret: bytes
    last_step: int = Field(default=0, sa_type=BigInteger)  # no code of this step or before counts
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RecoveryCode(SQLModel, table=True):
    """The hash of a code for whoever lost their generator; the row goes when it is used."""

    __tablename__ = "recovery_codes"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    code_hash: str = Field(max_length=DIGEST)


class LoginAttempt(SQLModel, table=True):
    """How often somebody failed to log in, by what is counted: an address, an account, a client.

    UNLOGGED: PostgreSQL empties it after a crash, and writes no log for it otherwise.
    """

    __tablename__ = "login_attempts"
    __table_args__ = {"prefixes": ["UNLOGGED"]}

    key: str = Field(primary_key=True, max_length=64)  # SHA-256 in hex: people mistype passwords
    failures: int
    refused: bool = False  # whether the last attempt came before `free_at`
    free_at: datetime = Field(sa_type=UtcDateTime, index=True)  # the next attempt is allowed then
    succeeded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
