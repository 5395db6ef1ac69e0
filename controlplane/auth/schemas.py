"""What people send and get when they log in."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from controlplane.grammar import Printable


class Login(BaseModel):
    """A user name and a password."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Printable, Field(max_length=64)]
    password: SecretStr = Field(max_length=1024)


class AccessToken(BaseModel):
    """A bearer token and its lifetime in seconds."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of a scheme (RFC 6750), no secret
    expires_in: int


class Me(BaseModel):
    """Who I am and what I may do."""

    id: UUID
    name: str
    permissions: list[str]
