"""Statements about credentials."""

from collections.abc import Collection

from sqlalchemy import Select
from sqlmodel import col, select

from controlplane.credentials.models import Credential

ORDERING = {
    "name": col(Credential.name),
    "version": col(Credential.version),
    "created_at": col(Credential.created_at),
    "updated_at": col(Credential.updated_at),
}


def by_name(name: str) -> Select[tuple[Credential]]:
    """Select the credential of this name."""
    return select(Credential).where(Credential.name == name)


def named(names: Collection[str]) -> Select[tuple[Credential]]:
    """Select the credentials of these names."""
    return select(Credential).where(col(Credential.name).in_(names))


def listed(name: str | None) -> Select[tuple[Credential]]:
    """Select all credentials, or the one of a name."""
    return by_name(name) if name else select(Credential)
