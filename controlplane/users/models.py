"""The table of people."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class Role(StrEnum):
    """What a person is to the system; `auth.permissions` says what each may do."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class User(SQLModel, table=True):
    """A person who may log in."""

    __tablename__ = "users"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=64)
    full_name: str = Field(default="", max_length=128)
    email: str | None = Field(default=None, max_length=254, index=True)
    password_hash: str = ""  # empty until an invitation is accepted
    password_changed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    role: Role = Field(default=Role.VIEWER, sa_type=words(Role))
    active: bool = True
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    last_login_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
