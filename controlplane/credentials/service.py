"""Keep credentials: checked as a whole, sealed before they reach the database."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions
from controlplane.audit.models import Action
from controlplane.audit.service import CHANGED
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.credentials import kinds, queries
from controlplane.credentials.kinds import OPEN_FIELDS, SECRETS
from controlplane.credentials.models import Credential, CredentialVersion, Kind, Sealable
from controlplane.credentials.schemas import CredentialCreate, CredentialRead, CredentialUpdate
from controlplane.database import now
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Unreadable
from controlplane.vault import Place, Sealed, Vault


class Outcome(StrEnum):
    """What putting an object did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


Stored = Credential | CredentialVersion


async def get(session: AsyncSession, actor: Actor, name: str) -> Credential:
    """Give the credential of this name, or raise NotFound where the actor sees none."""
    return _found(name, await session.scalar(queries.one_visible(actor, name)))


async def get_to_change(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> Credential:
    """Lock the row, if it is the revision the actor saw.

    Whoever wraps data keys anew comes before us or after us, never between.
    """
    statement = queries.locked(queries.one_visible(actor, name))
    credential = _found(name, await session.scalar(statement))
    preconditions.check(credential.revision, if_match)
    return credential


def touch(credential: Credential) -> None:
    """Count a change of what is in force."""
    credential.revision += 1
    credential.updated_at = now()


def _found(name: str, credential: Credential | None) -> Credential:
    if credential is None:
        raise NotFound(f"there is no credential {name!r}")
    return credential


async def create(
    session: AsyncSession, actor: Actor, vault: Vault, data: CredentialCreate
) -> Credential:
    """Add a credential."""
    await events.changed(session)
    if await session.scalar(queries.by_name(data.name)):
        raise Conflict(f"credential {data.name!r} already exists")
    credential = Credential(name=data.name, kind=data.kind, key_version=0, data_key=b"")
    fill(credential, vault, credential.kind, given(data))
    session.add(credential)
    await session.flush()
    await trail.record(
        session,
        actor,
        Action.CREATE,
        "credential",
        credential,
        after=kept(credential, given(data)),
    )
    return credential


async def update(
    session: AsyncSession,
    actor: Actor,
    vault: Vault,
    name: str,
    data: CredentialUpdate,
    *,
    if_match: str | None = None,
) -> Credential:
    """Change the given fields; the outcome is checked as a whole and sealed anew."""
    await events.changed(session)
    credential = await get_to_change(session, actor, name, if_match)
    before = kept(credential)
    wanted = _before(vault, credential, given(data)) | given(data)
    fill(credential, vault, credential.kind, wanted)
    touch(credential)
    await session.flush()
    after = kept(credential, given(data))
    await trail.record(
        session, actor, Action.UPDATE, "credential", credential, before=before, after=after
    )
    return credential


async def put(session: AsyncSession, actor: Actor, vault: Vault, data: CredentialCreate) -> Outcome:
    """Make the credential of this name be exactly this, whether it was there or not.

    It is found by its name alone, whoever asks: only who writes every credential may.
    """
    if not actor.may_everywhere(Permission.CREDENTIALS_WRITE):
        raise Forbidden("credentials are imported by those who may write them all")
    credential = await session.scalar(queries.locked(queries.by_name(data.name)))
    if credential is None:
        await create(session, actor, vault, data)
        return Outcome.CREATED
    if credential.kind != data.kind:
        raise Conflict(f"credential {data.name!r} is of kind {credential.kind}, which stays")
    auth = {name: value for name, value in given(data).items() if value}
    if auth == _before(vault, credential, dict.fromkeys(SECRETS)):
        return Outcome.UNCHANGED
    before = kept(credential)
    fill(credential, vault, credential.kind, auth)
    touch(credential)
    await session.flush()
    after = kept(credential, auth)
    await trail.record(
        session, actor, Action.UPDATE, "credential", credential, before=before, after=after
    )
    return Outcome.UPDATED


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a credential that no device is asked with."""
    await events.changed(session)
    credential = await get_to_change(session, actor, name, if_match)
    await session.delete(credential)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict(f"credential {name!r} is in use by a device") from None
    await trail.record(
        session, actor, Action.DELETE, "credential", credential, before=kept(credential)
    )


def given(data: CredentialCreate | CredentialUpdate) -> dict[str, Any]:
    """Give the fields a request sent, and defaults of a new credential; secrets in the clear."""
    changes = isinstance(data, CredentialUpdate)
    fields = data.model_dump(
        exclude_unset=changes, exclude_none=not changes, exclude={"name", "kind"}
    )
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in fields.items()
    }


def opened(vault: Vault, credential: Stored) -> dict[str, Any]:
    """Give the fields of a credential, secrets in the clear, empty ones left out.

    Of SNMP they are those of an `auths:` entry of snmp.yml. Only the snapshot for the
    exporter and the check of a change may hold what this returns.
    """
    sealed = {name: getattr(credential, name) for name in SECRETS}
    secrets = vault.open(
        Place(credential.__tablename__, credential.id),
        Sealed(
            credential.key_version,
            credential.data_key,
            {name: value for name, value in sealed.items() if value is not None},
        ),
    )
    return {**_open_fields(credential), **secrets}


def _before(vault: Vault, credential: Stored, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a credential was; secrets that do not open may be missing if all are given anew."""
    try:
        return opened(vault, credential)
    except Unreadable:
        if any(name not in given for name in SECRETS if getattr(credential, name) is not None):
            raise
        return _open_fields(credential)


def _open_fields(credential: Sealable) -> dict[str, Any]:
    fields = {name: getattr(credential, name) for name in OPEN_FIELDS}
    return {name: value for name, value in fields.items() if value is not None}


def read(credential: Credential) -> CredentialRead:
    """Give what people may see of a credential."""
    return CredentialRead.model_validate(
        {
            **credential.model_dump(exclude=set(SECRETS)),
            "secrets": [name for name in SECRETS if getattr(credential, name) is not None],
        }
    )


def fill(credential: Stored, vault: Vault, kind: Kind, auth: Mapping[str, Any]) -> None:
    """Put these fields into a row, sealed, or raise Invalid where they make no credential."""
    found = kinds.problems(kind, auth)
    if found:
        raise Invalid(f"this is not a credential of kind {kind}", *found)
    for name in OPEN_FIELDS:
        setattr(credential, name, auth.get(name) or None)
    sealed = vault.seal(
        Place(credential.__tablename__, credential.id),
        {name: auth[name] for name in SECRETS if auth.get(name)},
    )
    credential.key_version, credential.data_key = sealed.key_version, sealed.data_key
    for name in SECRETS:
        setattr(credential, name, sealed.secrets.get(name))


def kept(credential: Sealable, written: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give what the audit log keeps of a credential: of secrets, that they were written."""
    fields = _open_fields(credential)
    return {**fields, **{name: CHANGED for name in SECRETS if (written or {}).get(name)}}
