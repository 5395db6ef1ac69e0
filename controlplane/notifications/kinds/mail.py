"""Mail (SMTP, RFC 5321), through the operator's server or one of the channel's own."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from controlplane.clients.mail import Mail
from controlplane.notifications.kinds.base import (
    OLDEST,
    Kind,
    Means,
    Secret,
    Text,
    Unsupported,
    plain,
)

IMPLICIT_TLS_PORT = 465  # Alertmanager begins with TLS at this port, and at no other (RFC 8314)
# Of RFC 5322 what mail is sent to: no comments, no quotes, no list in one address.
ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?"
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"


def _address(text: str) -> str:
    if not re.fullmatch(ADDRESS, plain(text)):
        raise ValueError("must be a mail address such as noc@example.net")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(HOST, text):
        raise ValueError("must be a host name, an IPv4 address, or an IPv6 address in brackets")
    return text


Address = Annotated[str, AfterValidator(_address)]
Host = Annotated[str, AfterValidator(_host)]


class Email(Kind):
    """Mail to one or several people; without a `host` by CHM_SMTP_HOST."""

    section: ClassVar = "email_configs"
    destination: ClassVar = ("host", "port", "security")

    kind: Literal["email"] = "email"
    to: Annotated[list[Address], Field(min_length=1, max_length=50)]
    host: Host | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Address | None = None
    username: Text | None = None
    password: Secret | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host is None and (self.username or self.password):
            raise ValueError("a login needs the host that it is for")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password come together")
        if (self.security == "tls") != (self.port == IMPLICIT_TLS_PORT):
            raise ValueError("`tls` is port 465 and no other")
        return self

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the server, where the channel has one of its own."""
        if self.host is not None:
            yield "host", f"{self.host}:{self.port}"

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `email_configs`."""
        server = self._server(means)
        config: dict[str, Any] = {
            "to": ", ".join(self.to),
            "from": self.sender or server.sender,
            "smarthost": f"{server.host}:{server.port}",
            "require_tls": server.security == "starttls",
            "headers": {
                "Subject": '{{ template "chm.subject" . }}',
                "Auto-Submitted": "auto-generated",  # RFC 3834: no absence note comes back
            },
            "html": '{{ template "chm.html" . }}',
            "text": '{{ template "chm.text" . }}',
        }
        if server.username:
            config["auth_username"] = server.username
            config.update(means.secret("auth_password", server.password, OLDEST))
        return config

    def _server(self, means: Means) -> Mail:
        if self.host is not None:
            password = self.password.get_secret_value() if self.password else ""
            sender = self.sender or (means.mail.sender if means.mail else self.to[0])
            return Mail(self.host, self.port, self.security, sender, self.username or "", password)
        if means.mail is None:
            raise Unsupported("there is no mail server: set CHM_SMTP_HOST, or `host`")
        if (means.mail.security == "tls") != (means.mail.port == IMPLICIT_TLS_PORT):
            raise Unsupported("Alertmanager speaks TLS from the start at port 465 and no other")
        if re.search(r"[{}]", means.mail.username + means.mail.sender):
            raise Unsupported("the login or sender of the settings holds braces")
        return means.mail
