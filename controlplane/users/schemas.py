"""What admins see of people, and say about them."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.grammar import NOT_NULL, Moment, Name, Printable, matching
from controlplane.lookups import MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._@+-]{0,63}")
UserName = Annotated[str, matching(NAME.pattern, "the name of a user"), Field(max_length=64)]
Email = Annotated[Printable, Field(max_length=254)]


@lookups.expanded
class UserQuery(PageQuery):
    """Which people are wanted; `q` finds parts of names or address."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[list[Printable], TEXT] = NOT_GIVEN
    full_name: Annotated[list[Printable], TEXT] = NOT_GIVEN
    email: Annotated[list[Printable], TEXT.or_none] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    last_login_at: Annotated[list[Moment], MOMENT.or_none] = NOT_GIVEN
    active: bool | None = None
    q: lookups.Search = ""


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
