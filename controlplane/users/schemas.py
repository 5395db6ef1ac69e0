"""What admins see of people, and say about them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from controlplane.grammar import NOT_NULL, Name, Printable
from controlplane.pagination import PageQuery
from controlplane.users.service import UserName

Email = Annotated[Printable, Field(max_length=254)]


class UserQuery(PageQuery):
    """Which people are wanted."""

    model_config = ConfigDict(extra="forbid")

    active: bool | None = None
    search: Annotated[Printable, Field(max_length=64)] = ""  # part of a name or address


class UserInvite(BaseModel):
    """Somebody who is let in, with a role on everything."""

    model_config = ConfigDict(extra="forbid")

    name: UserName
    email: Email | None = None
    role: Name = "viewer"


class UserUpdate(BaseModel):
    """Whether somebody may log in."""

    model_config = ConfigDict(extra="forbid")

    active: Annotated[bool, NOT_NULL]


class UserRead(BaseModel):
    """A person as admins see them; `invited` is who has not chosen a password yet."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    full_name: str
    email: str | None
    active: bool
    invited: bool
    created_at: datetime
    last_login_at: datetime | None


class Link(BaseModel):
    """A one-time link: whom it was mailed to, or else the link itself, this once."""

    name: str
    mailed_to: str | None
    link: str | None
