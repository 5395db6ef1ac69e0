"""What people are sent: links for an invitation and for a forgotten password."""

import logging

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind, Who
from controlplane.auth import onetime
from controlplane.auth.actor import Origin
from controlplane.auth.identity import Identity
from controlplane.auth.models import Purpose
from controlplane.auth.onetime import Ticket
from controlplane.clients.mail import Mail
from controlplane.errors import ChmError
from controlplane.users import queries
from controlplane.users.models import User

log = logging.getLogger(__name__)

SUBJECTS = {
    Purpose.INVITATION: "Your account at Catalyst Health Monitor",
    Purpose.RESET: "A new password for Catalyst Health Monitor",
}
TEXTS = {
    Purpose.INVITATION: (
        "You are invited to Catalyst Health Monitor as {name}.\n\n"
        "Choose a password within seven days:\n{link}\n"
    ),
    Purpose.RESET: (
        "Somebody, we hope you, asked for a new password of {name}.\n\n"
        "Choose one within an hour:\n{link}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n"
    ),
}


async def send(mail: Mail | None, public_url: str, ticket: Ticket) -> bool:
    """Mail a link to its person; False where no mail server or no address is known."""
    if mail is None or not ticket.user.email:
        return False
    text = TEXTS[ticket.purpose].format(name=ticket.user.name, link=ticket.link(public_url))
    await mail.send(ticket.user.email, SUBJECTS[ticket.purpose], text)
    return True


async def send_reset(identity: Identity, named: str, asked: Origin) -> None:
    """Mail everybody of this name or address a link for a new password.

    It runs after the answer, which is the same whoever was named and whether anybody was.
    """
    if identity.mail is None:
        log.warning("a new password was asked for, but no mail server is set (CHM_SMTP_HOST)")
        return
    async with identity.sessions.begin() as session:
        users = (await session.scalars(queries.by_name_or_email(named))).all()
        tickets = [await onetime.ticket(session, user) for user in users]
        for user in users:
            await _record(session, user, asked)
    for ticket in tickets:
        try:
            await send(identity.mail, identity.public_url, ticket)
        except ChmError as error:  # nobody waits for the answer: the log is all there is
            log.error("the link for a new password was not sent: %s", error.detail)  # noqa: TRY400


async def _record(session: AsyncSession, user: User, asked: Origin) -> None:
    """Write down that somebody asked for a link; who it was shows when it is used, or never."""
    who = Who(Kind.ANONYMOUS, address=asked.address, request_id=asked.request_id)
    fields = {"link": "asked for"}
    await audit.record(
        session,
        Action.PASSWORD_RESET,
        who=who,
        object_type="user",
        object_id=user.id,
        object_name=user.name,
        after=fields,
    )
