"""What people are sent: links for an invitation and for a forgotten password."""

import logging

from controlplane.auth import onetime
from controlplane.auth.identity import Identity
from controlplane.auth.models import Purpose
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


async def send(mail: Mail | None, user: User, purpose: Purpose, link: str) -> bool:
    """Mail a link to its person; False where no mail server or no address is known."""
    if mail is None or not user.email:
        return False
    text = TEXTS[purpose].format(name=user.name, link=link)
    await mail.send(user.email, SUBJECTS[purpose], text)
    return True


async def send_reset(identity: Identity, named: str) -> None:
    """Mail everybody of this name or address a link for a new password.

    It runs after the answer, which is the same whoever was named and whether anybody was.
    """
    if identity.mail is None:
        log.warning("a new password was asked for, but no mail server is set (CHM_SMTP_HOST)")
        return
    async with identity.sessions.begin() as session:
        users = (await session.scalars(queries.by_name_or_email(named))).all()
        made = [(user, await onetime.make(session, user, Purpose.RESET)) for user in users]
    for user, token in made:
        link = onetime.link(identity.public_url, Purpose.RESET, token)
        try:
            await send(identity.mail, user, Purpose.RESET, link)
        except ChmError as error:  # nobody waits for the answer: the log is all there is
            log.error("the link for a new password was not sent: %s", error.detail)  # noqa: TRY400
