"""The tables of service tokens and of attempts to log in."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class ServiceToken(SQLModel, table=True):
    """What a service shows instead of a login; only the hash of its secret is kept."""

    __tablename__ = "service_tokens"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=64)
    secret_hash: str = Field(max_length=64)  # SHA-256 in hex: the secret is 256 random bits
    permissions: list[str] = Field(sa_type=JSON)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


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
