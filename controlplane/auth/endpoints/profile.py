"""Who one is, what one says about oneself, and the proof that it is still oneself."""

from fastapi import APIRouter

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import queries, service
from controlplane.auth.dependencies import CurrentActor, People
from controlplane.auth.presence import CurrentPerson, RecentPerson
from controlplane.auth.schemas import Me, Profile, Proof
from controlplane.database import Session, now
from controlplane.errors import Invalid, Problem
from controlplane.users.models import User
from controlplane.users.service import check_email

router = APIRouter()


@router.get("/me")
async def me(session: Session, people: People, actor: CurrentActor) -> Me:
    """Say who is asking and what they may do."""
    fields = {"id": actor.id, "name": actor.name, "kind": actor.kind.value}
    permissions = sorted(permission.value for permission in actor.permissions)
    if actor.session_id is None:
        return Me(**fields, permissions=permissions)
    user = await session.get_one(User, actor.id)
    totp = await session.scalar(queries.totp(user.id))
    enabled = totp is not None and totp.confirmed_at is not None
    required = await service.requires_second_factor(session, people, user)
    return Me(
        **fields,
        permissions=permissions,
        full_name=user.full_name,
        email=user.email,
        second_factor=enabled,
        second_factor_missing=required and not enabled,
    )


@router.patch("/me")
async def update_me(data: Profile, session: Session, people: People, person: RecentPerson) -> Me:
    """Change one's name and address of mail; links for a new password are sent there."""
    changes = data.model_dump(exclude_unset=True)
    if "email" in changes:
        changes["email"] = check_email(changes["email"])
    before = {name: getattr(person.user, name) for name in changes}
    for name, value in changes.items():
        setattr(person.user, name, value)
    await audit.record(
        session,
        Action.UPDATE,
        who=person.who,
        object_type="user",
        object_id=person.user.id,
        object_name=person.user.name,
        before=before,
        after=changes,
    )
    return await me(session, people, person.actor)


@router.post("/reauthenticate", status_code=204)
async def reauthenticate(
    data: Proof, session: Session, people: People, person: CurrentPerson
) -> None:
    """Prove that it is still oneself, before changing what guards the account.

    Where there is a second factor the proof is a code: a password alone, which others may have
    learnt, removes no second factor.
    """
    if data.code is None and await service.has_second_factor(session, person.user):
        detail = "this account has a second factor: prove it by a code"
        raise Invalid(detail, Problem("/code", "needed", detail))
    await service.prove(session, people, person.actor, *data.revealed())
    person.login.authenticated_at = now()
