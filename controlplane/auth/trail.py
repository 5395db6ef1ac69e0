"""Tell the audit log what an actor did to an object of the inventory or of the accounts."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor

Fields = Mapping[str, Any]


class Named(Protocol):
    """An object by which people know a row: its id and its name."""

    id: UUID
    name: str


async def record(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    noun: str,
    subject: Named,
    *,
    before: Fields | None = None,
    after: Fields | None = None,
) -> None:
    """Add an entry with the commit of this session; of the fields only what differs is kept."""
    await audit.record(
        session,
        action,
        who=actor.who,
        object_type=noun,
        object_id=subject.id,
        object_name=subject.name,
        before=before,
        after=after,
    )
