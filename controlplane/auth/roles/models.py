"""The tables of custom roles and of grants."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.auth.actor import ScopeKind
from controlplane.database import UtcDateTime, now, words


class CustomRole(SQLModel, table=True):
    """A role that an operator made, beside those that are built in."""

    __tablename__ = "roles"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    description: str = ""
    permissions: list[str] = Field(sa_type=JSON)
    mfa_required: bool = False
    version: int = 1  # counts the changes of this role
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Grant(SQLModel, table=True):
    """A person holds a role on everything, a site with all below it, a group, or a tag."""

    __tablename__ = "grants"
    __table_args__ = (UniqueConstraint("user_id", "role", "scope", "value"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    role: str = Field(max_length=63, index=True)
    scope: ScopeKind = Field(default=ScopeKind.EVERYTHING, sa_type=words(ScopeKind))
    value: str = Field(default="", max_length=64)  # the id of the site or group, or the tag
    version: int = 1  # for it is given and taken, and never changed
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
