"""One's own logins: see them, end one, end all."""

from uuid import UUID

from fastapi import APIRouter, Response

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import sessions
from controlplane.auth.dependencies import People
from controlplane.auth.presence import CurrentPerson
from controlplane.auth.schemas import SessionRead
from controlplane.database import Session
from controlplane.errors import NotFound

router = APIRouter(prefix="/sessions")


@router.get("")
async def list_sessions(session: Session, person: CurrentPerson) -> list[SessionRead]:
    """List the logins that can be used, the newest first."""
    found = [SessionRead.model_validate(s) for s in await sessions.living(session, person.user.id)]
    return [s.model_copy(update={"current": s.id == person.login.id}) for s in found]


@router.delete("/{session_id}", status_code=204)
async def revoke_session(session_id: UUID, session: Session, person: CurrentPerson) -> None:
    """End one login; somebody else's is as good as none."""
    if not await sessions.end_one(session, person.user.id, session_id, "revoked by its person"):
        raise NotFound("you have no such session")
    await audit.record(
        session,
        Action.SESSION_REVOKED,
        who=person.who,
        object_type="session",
        object_id=session_id,
    )


@router.delete("", status_code=204)
async def revoke_all(
    response: Response, session: Session, people: People, person: CurrentPerson
) -> None:
    """End every login of the account, this one too."""
    await sessions.end_all(session, person.user.id, "all were revoked by their person")
    await audit.record(
        session,
        Action.SESSION_REVOKED,
        who=person.who,
        object_type="user",
        object_id=person.user.id,
        object_name=person.user.name,
        after={"sessions": "all"},
    )
    people.cookies.clear(response)
