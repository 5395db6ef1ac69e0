"""The table of service tokens."""

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
