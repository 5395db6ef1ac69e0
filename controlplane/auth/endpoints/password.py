"""Passwords: change one's own, get a new one by a link, accept an invitation, register."""

from fastapi import APIRouter, BackgroundTasks, Request

from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind, Who
from controlplane.auth import accounts, post, service, throttle
from controlplane.auth.accounts import Account, Change
from controlplane.auth.actor import Actor, Held
from controlplane.auth.dependencies import People, origin
from controlplane.auth.models import Purpose
from controlplane.auth.permissions import ROLES, Role
from controlplane.auth.presence import CurrentPerson
from controlplane.auth.schemas import (
    NewPasswordWithToken,
    PasswordChange,
    Registration,
    ResetRequest,
)
from controlplane.database import Session
from controlplane.errors import Forbidden
from controlplane.users.models import User

router = APIRouter()


@router.post("/password/change", status_code=204)
async def change_password(
    data: PasswordChange, session: Session, people: People, person: CurrentPerson
) -> None:
    """Choose another password; every other session of the account ends."""
    current = data.current_password.get_secret_value()
    user = await service.prove(session, people, person.actor, current, None)
    change = Change(
        data.new_password.get_secret_value(), "the password was changed", person.login.id
    )
    await accounts.replace_password(session, people.passwords, user, change)
    await audit.record(
        session,
        Action.PASSWORD_CHANGE,
        who=person.who,
        object_type="user",
        object_id=user.id,
        object_name=user.name,
    )


@router.post("/password/reset", status_code=202)
async def request_reset(
    data: ResetRequest, request: Request, session: Session, people: People, later: BackgroundTasks
) -> None:
    """Have a link for a new password mailed; the answer does not say whether anybody was found."""
    asked = origin(request)
    await throttle.check(session, f"reset|{data.name}", asked.address)
    later.add_task(post.send_reset, people, data.name, asked)


@router.post("/password/reset/confirm", status_code=204)
async def reset_password(
    data: NewPasswordWithToken, request: Request, session: Session, people: People
) -> None:
    """Choose a new password with the token of a link; every session of the account ends."""
    user = await _accept(session, people, Purpose.RESET, data)
    await _record(session, request, Action.PASSWORD_RESET, user)


@router.post("/invitation/accept", status_code=204)
async def accept_invitation(
    data: NewPasswordWithToken, request: Request, session: Session, people: People
) -> None:
    """Choose the first password with the token of an invitation."""
    user = await _accept(session, people, Purpose.INVITATION, data)
    await _record(session, request, Action.PASSWORD_CHANGE, user)


@router.post("/register", status_code=201)
async def register(data: Registration, request: Request, session: Session, people: People) -> None:
    """Make oneself an account that may look; closed unless CHM_REGISTRATION opens it."""
    if not people.registration:
        raise Forbidden("registration is closed; ask an admin for an invitation")
    asked = origin(request)
    await throttle.check(session, f"register|{data.name}", asked.address)
    new = Account(data.name, data.password.get_secret_value(), Role.VIEWER, data.email)
    may_look = Held(ROLES[Role.VIEWER])  # and so may give that to themselves
    stranger = Actor(None, data.name, Kind.ANONYMOUS, (may_look,), origin=asked)
    await accounts.add(session, stranger, people.passwords, new)


async def _accept(
    session: Session, people: People, purpose: Purpose, data: NewPasswordWithToken
) -> User:
    token, password = data.token.get_secret_value(), data.new_password.get_secret_value()
    return await accounts.accept(session, people.passwords, purpose, token, password)


async def _record(session: Session, request: Request, action: Action, user: User) -> None:
    """Write down what somebody did who is not logged in but proved to be this person."""
    asked = origin(request)
    who = Who(Kind.USER, str(user.id), user.name, asked.address, asked.request_id)
    await audit.record(
        session, action, who=who, object_type="user", object_id=user.id, object_name=user.name
    )
