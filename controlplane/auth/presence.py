"""People in person: who logged in with a password, not through a token, and how long ago."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends

from controlplane.audit.models import Who
from controlplane.auth import queries
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import CurrentActor
from controlplane.auth.models import LoginSession
from controlplane.database import Session, now
from controlplane.errors import Forbidden, Problem
from controlplane.users.models import User

RECENT = timedelta(minutes=5)


@dataclass(frozen=True)
class Person:
    """A person with the session they are in."""

    user: User
    login: LoginSession
    actor: Actor

    @property
    def who(self) -> Who:
        """The person as the audit log knows them."""
        return self.actor.who


async def current_person(session: Session, actor: CurrentActor) -> Person:
    """Give the person who is logged in; a token's program changes nobody's account."""
    if actor.session_id is None:
        raise Forbidden("only a person who is logged in may do this, not a token")
    login, user, _ = (await session.execute(queries.login(actor.session_id))).one()
    return Person(user, login, actor)


CurrentPerson = Annotated[Person, Depends(current_person)]


async def recent_person(person: CurrentPerson) -> Person:
    """Give the person, who has proved within RECENT that it is still them (ASVS 5.0, 7.5.1)."""
    if now() - person.login.authenticated_at > RECENT:
        detail = "prove that it is you: POST /api/v1/auth/reauthenticate, then try again"
        raise Forbidden(detail, Problem("", "reauthenticate", detail))
    return person


RecentPerson = Annotated[Person, Depends(recent_person)]
