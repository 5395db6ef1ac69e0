"""Whoever is asking, and what they may do where."""

import getpass
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from controlplane.audit.models import Kind, Who
from controlplane.auth.permissions import Permission


class ScopeKind(StrEnum):
    """How the objects of a grant are chosen; a new kind needs a resolver in the restrictor."""

    EVERYTHING = "everything"
    SITE = "site"  # with all sites below it
    GROUP = "group"  # whatever its saved filter holds
    TAG = "tag"


@dataclass(frozen=True)
class Scope:
    """The objects that a grant is about; `value` is the id of a site or group, or a tag."""

    kind: ScopeKind = ScopeKind.EVERYTHING
    value: str = ""


EVERYTHING = Scope()


@dataclass(frozen=True)
class Held:
    """Permissions, and the scope in which they count."""

    permissions: frozenset[Permission]
    scope: Scope = EVERYTHING
    role: str = ""
    mfa_required: bool = False


@dataclass(frozen=True)
class Origin:
    """Where a request came from, and the id under which it was answered."""

    address: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Actor:
    """A person, a token of theirs, a service, or CHM itself."""

    id: UUID | None
    name: str
    kind: Kind
    grants: tuple[Held, ...]
    session_id: UUID | None = None
    origin: Origin = Origin()
    until: datetime | None = None  # when a service's token ends by which it was let in

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        """What the actor may do somewhere."""
        return frozenset(p for held in self.grants for p in held.permissions)

    @cached_property
    def alike(self) -> "Actor":
        """Whoever holds the same, as one: a statement made for them is good for each."""
        return Actor(None, "", Kind.SYSTEM, self.grants)

    @property
    def who(self) -> Who:
        """The actor as the audit log knows them."""
        identity = "" if self.id is None else str(self.id)
        return Who(self.kind, identity, self.name, self.origin.address, self.origin.request_id)

    def scopes(self, permission: Permission) -> frozenset[Scope]:
        """Give where the permission is held."""
        return frozenset(held.scope for held in self.grants if permission in held.permissions)

    def may_everywhere(self, permission: Permission) -> bool:
        """Say whether the permission is held on everything."""
        return EVERYTHING in self.scopes(permission)

    def limited_to(self, permissions: Collection[Permission]) -> "Actor":
        """Give the same actor with no more than these permissions, where they held them."""
        allowed = frozenset(permissions)
        grants = tuple(replace(h, permissions=h.permissions & allowed) for h in self.grants)
        return replace(self, grants=grants)


def shell() -> Actor:
    """Give whoever runs a command in a shell of this machine: they own its files."""
    return Actor(None, getpass.getuser(), Kind.SHELL, (Held(frozenset(Permission)),))


def system(part: str) -> Actor:
    """Give a part of CHM that acts by itself."""
    return Actor(None, part, Kind.SYSTEM, (Held(frozenset(Permission)),))
