"""Rotate a credential in stages: stage the next version, verify, promote, retire the last.

One version waits beside the one in force: the next one, or after promotion the last one. Devices
are asked with both, the one in force first, so no device is lost while its password changes.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.credentials import queries, service
from controlplane.credentials.kinds import SECRETS
from controlplane.credentials.models import Credential, CredentialVersion, State
from controlplane.credentials.schemas import CredentialUpdate, VersionRead
from controlplane.credentials.service import Stored
from controlplane.errors import Conflict, NotFound
from controlplane.vault import Vault

NOUN = "credential"
OTHER = {State.STAGED: State.FALLBACK, State.FALLBACK: State.STAGED}


async def listed(session: AsyncSession, actor: Actor, name: str) -> list[VersionRead]:
    """Give the version in force and the one that waits, if one does."""
    credential = await service.get(session, actor, name)
    version = await session.scalar(queries.waiting(credential.id))
    shown = [_read(credential, State.IN_FORCE)]
    return shown if version is None else [*shown, _read(version, version.state)]


async def stage(
    session: AsyncSession, actor: Actor, vault: Vault, name: str, data: CredentialUpdate
) -> VersionRead:
    """Make the next version of what is in force with the given fields changed."""
    await events.changed(session)
    credential = await service.get_to_change(session, actor, name)
    version = await session.scalar(queries.waiting(credential.id))
    if version is not None:
        detail = f"version {version.number} of {name!r} waits ({version.state})"
        raise Conflict(f"{detail}: promote or retire it first")
    credential.newest += 1
    credential.revision += 1
    version = CredentialVersion(
        credential_id=credential.id,
        number=credential.newest,
        state=State.STAGED,
        key_version=0,
        data_key=b"",
    )
    given = service.given(data)
    wanted = service.opened(vault, credential) | given
    service.fill(version, vault, credential.kind, wanted)
    session.add(version)
    await session.flush()
    await _record(
        session, actor, credential, {"staged": version.number, **service.kept(version, given)}
    )
    return _read(version, version.state)


async def promote(
    session: AsyncSession, actor: Actor, vault: Vault, name: str, number: int
) -> list[VersionRead]:
    """Put the waiting version in force, and have the other wait in its place."""
    await events.changed(session)
    credential = await service.get_to_change(session, actor, name)
    version = await _waiting(session, credential, number)
    next_, last = service.opened(vault, version), service.opened(vault, credential)
    service.fill(credential, vault, credential.kind, next_)
    service.fill(version, vault, credential.kind, last)
    credential.number, version.number = version.number, credential.number
    version.state = OTHER[version.state]
    service.touch(credential)
    await session.flush()
    await _record(
        session, actor, credential, {"number": credential.number}, {"number": version.number}
    )
    return [_read(credential, State.IN_FORCE), _read(version, version.state)]


async def retire(
    session: AsyncSession, actor: Actor, name: str, number: int, if_match: str | None = None
) -> None:
    """Destroy the waiting version."""
    await events.changed(session)
    credential = await service.get_to_change(session, actor, name, if_match)
    version = await _waiting(session, credential, number)
    credential.revision += 1
    await session.delete(version)
    await session.flush()
    await _record(session, actor, credential, {"retired": number})


async def choose(session: AsyncSession, actor: Actor, name: str, number: int | None) -> Stored:
    """Give a version of a credential by its number, or the one in force."""
    credential = await service.get(session, actor, name)
    if number in {None, credential.number}:
        return credential
    return await _waiting(session, credential, number or 0)


async def _waiting(session: AsyncSession, credential: Credential, number: int) -> CredentialVersion:
    if number == credential.number:
        raise Conflict(f"version {number} of {credential.name!r} is the one in force")
    version = await session.scalar(queries.waiting(credential.id))
    if version is None or version.number != number:
        raise NotFound(f"no version {number} of {credential.name!r} waits")
    return version


async def _record(
    session: AsyncSession,
    actor: Actor,
    credential: Credential,
    after: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> None:
    await trail.record(session, actor, Action.UPDATE, NOUN, credential, before=before, after=after)


def _read(stored: Stored, state: State) -> VersionRead:
    there = [name for name in SECRETS if getattr(stored, name) is not None]
    fields = stored.model_dump(exclude={*SECRETS, "state"})
    return VersionRead.model_validate({**fields, "secrets": there, "state": state})
