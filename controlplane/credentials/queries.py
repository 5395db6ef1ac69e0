"""Statements about credentials."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.credentials.models import Credential, CredentialVersion, Kind
from controlplane.credentials.schemas import CredentialQuery

ORDERING = {
    "name": col(Credential.name),
    "version": col(Credential.version),
    "created_at": col(Credential.created_at),
    "updated_at": col(Credential.updated_at),
}


def by_name(name: str) -> Select[tuple[Credential]]:
    """Select the credential of this name."""
    return select(Credential).where(Credential.name == name)


def visible(actor: Actor, query: CredentialQuery) -> Select[tuple[Credential]]:
    """Select the credentials that the actor sees and that pass the filters."""
    asked = lookups.conditions(query, {**ORDERING, "kind": col(Credential.kind)})
    return select(Credential).where(_reached(actor), *asked)


def one_visible(actor: Actor, name: str) -> Select[tuple[Credential]]:
    """Select the credential of this name, if the actor sees it."""
    return by_name(name).where(_reached(actor))


def usable(actor: Actor, names: Collection[str]) -> Select[tuple[Credential]]:
    """Select the credentials of these names that the actor may have devices asked with."""
    return named(names).where(_reached(actor))


def _reached(actor: Actor) -> ColumnElement[bool]:
    return restrictor.on_credentials(actor, Permission.CREDENTIALS_READ, col(Credential.id))


def locked(statement: Select[tuple[Credential]]) -> Select[tuple[Credential]]:
    """Select the same rows to change them: as they are now, and nobody else's until the commit."""
    return statement.with_for_update(of=Credential).execution_options(populate_existing=True)


def named(names: Collection[str]) -> Select[tuple[Credential]]:
    """Select the credentials of these names."""
    return select(Credential).where(col(Credential.name).in_(names))


def taken(names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that a credential has, whoever asks."""
    return named(names).with_only_columns(col(Credential.name))


def of_kind(kind: Kind, names: Collection[str]) -> Select[tuple[Credential]]:
    """Select the credentials of these names that are of a kind."""
    return named(names).where(col(Credential.kind) == kind)


def listed(name: str | None) -> Select[tuple[Credential]]:
    """Select all credentials, or the one of a name."""
    return by_name(name) if name else select(Credential)


def waiting(credential: UUID) -> Select[tuple[CredentialVersion]]:
    """Select the version that waits beside the one in force; there is one at most."""
    return select(CredentialVersion).where(CredentialVersion.credential_id == credential)


def waiting_for(names: Collection[str]) -> Select[tuple[str, CredentialVersion]]:
    """Select credential name and waiting version of each of these credentials that has one."""
    return (
        select(Credential.name, CredentialVersion)
        .join(CredentialVersion, col(CredentialVersion.credential_id) == Credential.id)
        .where(col(Credential.name).in_(names))
    )
