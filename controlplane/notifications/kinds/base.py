"""What every kind of channel has: settings that are checked, and a receiver made of them.

Alertmanager takes many of these texts for templates. A template that somebody typed could read
whatever a notification holds, so braces are refused everywhere.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from controlplane.clients.mail import Mail
from controlplane.grammar import PRINTABLE_PATTERN

Version = tuple[int, ...]

OLDEST: Version = (0, 25)
FILES_FOR_ALL: Version = (0, 26)  # from here on a webhook's address may stand in a file, too
# An answer that leads elsewhere would undo the check of where a channel goes.
HTTP: Mapping[str, Any] = {"follow_redirects": False}


class Inline(str):
    """A secret that this Alertmanager reads from its configuration only."""

    __slots__ = ()


class Unsupported(Exception):
    """This installation cannot do what the channel wants; the message says what it lacks."""


@dataclass(frozen=True)
class Means:
    """What a receiver may be made with.

    `keep` puts a secret into a private file, named by its field, and gives the path of it.
    """

    version: Version
    keep: Callable[[str, str], str]
    mail: Mail | None = None

    def secret(self, field: str, value: str, since: Version) -> dict[str, str]:
        """Give a secret by file where this Alertmanager has `<field>_file`, else as it is."""
        if self.version >= since:
            return {f"{field}_file": self.keep(field, value)}
        return {field: Inline(value)}


def plain(text: str) -> str:
    """Give the text if it is one line and no template, else raise ValueError."""
    if not re.fullmatch(PRINTABLE_PATTERN, text):
        raise ValueError("must not hold control characters")
    if re.search(r"[{}]", text):
        raise ValueError("must not hold braces")
    return text


def url(text: str) -> str:
    """Give the text if it is an address of a web service without a login in it."""
    parts = urlsplit(plain(text))  # raises ValueError for brackets that do not match
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", text):
        raise ValueError("must be a URL such as https://chat.example.net/hook")
    if parts.username is not None or parts.password is not None or parts.port == 0:
        raise ValueError("must not hold a login, or the port 0")
    return text


def _secret_text(secret: SecretStr) -> SecretStr:
    plain(secret.get_secret_value())
    return secret


def _secret_url(secret: SecretStr) -> SecretStr:
    url(secret.get_secret_value())
    return secret


Text = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(plain)]
Url = Annotated[str, Field(max_length=2048), AfterValidator(url)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=2048), AfterValidator(_secret_text)]
SecretUrl = Annotated[SecretStr, Field(max_length=2048), AfterValidator(_secret_url)]


class Kind(BaseModel, ABC):
    """The settings of a channel; those of the type SecretStr are sealed and never shown."""

    model_config = ConfigDict(extra="forbid")

    section: ClassVar[str]  # of a receiver in alertmanager.yml
    since: ClassVar[Version] = OLDEST
    # Where it goes: whoever changes one of these gives the secrets anew, or they would go along.
    destination: ClassVar[tuple[str, ...]] = ()

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give each field that is a URL or a `host:port` that somebody chose, and its value."""
        yield from ()

    @abstractmethod
    def config(self, means: Means) -> dict[str, Any]:
        """Give the entry of the receiver's section; Unsupported where it cannot be had."""

    def secrets(self) -> dict[str, str]:
        """Give the secret fields that are set, in the clear."""
        return {
            name: value.get_secret_value()
            for name, value in self
            if isinstance(value, SecretStr) and value.get_secret_value()
        }

    def open_fields(self) -> dict[str, Any]:
        """Give the fields that may be seen."""
        return self.model_dump(mode="json", exclude=self.secret_names(), exclude_none=True)

    @classmethod
    def secret_names(cls) -> set[str]:
        """Give the names of the fields that are secret."""
        return {name for name, field in cls.model_fields.items() if _is_secret(field.annotation)}


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or annotation == SecretStr | None
