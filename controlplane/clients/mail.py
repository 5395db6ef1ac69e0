"""Mail: a text to one person, through the operator's server (SMTP, RFC 5321)."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

import aiosmtplib

from controlplane.errors import Unavailable
from controlplane.settings import Settings

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Mail:
    """The way to a mail server; `security` is how the connection is encrypted."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)

    async def send(self, to: str, subject: str, text: str) -> None:
        """Hand a message to the server, or raise Unavailable; headers cannot be injected."""
        message = EmailMessage()  # refuses a line break in a header
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"], message["Message-ID"] = formatdate(), make_msgid()
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note comes back
        message.set_content(text)
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.username or None,
                password=self.password or None,
                use_tls=self.security == "tls",
                start_tls=self.security == "starttls",
                timeout=TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(f"the mail server {self.host} did not take a mail") from error


def from_settings(settings: Settings) -> Mail | None:
    """Give the operator's mail server, or None where none is set."""
    if not settings.smtp_host:
        return None
    return Mail(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.mail_from,
        settings.smtp_username,
        settings.smtp_password.get_secret_value(),
    )
