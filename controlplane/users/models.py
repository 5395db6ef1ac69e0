"""The table of people."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class User(SQLModel, table=True):
    """A person who may log in; what they may do is in their grants."""

    __tablename__ = "users"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=64)
    full_name: str = Field(default="", max_length=128)
    email: str | None = Field(default=None, max_length=254, index=True)
    password_hash: str = ""  # empty until an invitation is accepted
    password_changed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    active: bool = True
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    last_login_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def invited(self) -> bool:
        """Say whether the person has not chosen a password yet."""
        return not self.password_hash
