"""The table of answers that are kept for clients that ask again."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class KeptAnswer(SQLModel, table=True):
    """What was answered to a request with a key; the key itself is not kept."""

    __tablename__ = "kept_answers"

    key: str = Field(primary_key=True, max_length=64)  # a digest of the key and of whose it is
    actor: str = Field(max_length=64, index=True)  # a digest, too
    fingerprint: str = Field(max_length=64)  # of method, path, query and body
    status: int
    headers: dict[str, str] = Field(sa_type=JSON)
    body: bytes
    size: int  # bytes of the body
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
