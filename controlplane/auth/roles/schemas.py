"""Roles and grants on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from controlplane.auth.actor import ScopeKind
from controlplane.auth.permissions import Permission
from controlplane.grammar import NOT_NULL, Name, Printable, Word

Permissions = Annotated[list[Permission], Field(max_length=100)]
Description = Annotated[Printable, Field(max_length=1000)]


class RoleUpdate(BaseModel):
    """The fields of a custom role to change."""

    model_config = ConfigDict(extra="forbid")

    description: Annotated[Description, NOT_NULL] = ""
    permissions: Annotated[Permissions, NOT_NULL] = []
    mfa_required: Annotated[bool, NOT_NULL] = False


class RoleCreate(RoleUpdate):
    """A new custom role."""

    name: Name
    permissions: Permissions


class RoleRead(BaseModel):
    """A role; `version` counts the changes of a custom one, and is its ETag."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    description: str
    permissions: list[Permission]
    built_in: bool
    mfa_required: bool
    version: int | None = Field(description="None of what is built in, which cannot be changed.")


class GrantCreate(BaseModel):
    """A role to give, on everything or only on a site with all below it, a group, or a tag."""

    model_config = ConfigDict(extra="forbid")

    role: Name
    scope: ScopeKind = ScopeKind.EVERYTHING
    site: Name | None = None
    group: Name | None = None
    tag: Word | None = None

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        given = {
            ScopeKind.SITE: self.site,
            ScopeKind.GROUP: self.group,
            ScopeKind.TAG: self.tag,
        }
        for kind, value in given.items():
            if (kind is self.scope) != (value is not None):
                raise ValueError(f"{kind.value} is given with scope {kind.value!r} and only then")
        return self


class GrantRead(BaseModel):
    """A role that somebody holds, and where; `version` is its ETag."""

    id: UUID
    role: str
    scope: ScopeKind
    site: str | None
    group: str | None
    tag: str | None
    version: int
    created_at: datetime

    @property
    def where(self) -> str:
        """Say it in a word: the role, and where it is held if not everywhere."""
        at = self.site or self.group or self.tag
        return f"{self.role}@{self.scope.value}:{at}" if at else self.role
