"""The web configuration, in the format of exporter-toolkit: TLS, passwords, headers, rate limit.

The file is looked at with every request and read again when it has changed; one that cannot be used
changes nothing and is told in the log.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from exporter import config
from exporter.config import ConfigError, Document, Seconds

log = logging.getLogger(__name__)

STRICT = ConfigDict(extra="forbid")

Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
ClientAuth = Literal[
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]
HEADERS = frozenset(
    {
        "Content-Security-Policy",
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
        "X-XSS-Protection",
    }
)


def _bcrypt(value: str) -> str:
    if not re.fullmatch(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}", value):
        raise ValueError("is not a bcrypt hash")
    return value


def _client_auth(value: str) -> str:
    if value == "RequireAnyClientCert":
        raise ValueError(f"{value} proves nothing and is not supported: verify the certificate")
    return value


def _header(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if name not in HEADERS:
            raise ValueError(f"header {name!r} cannot be set: only {', '.join(sorted(HEADERS))}")
        if not re.fullmatch(r"[\t -~]*", value):
            raise ValueError(f"header {name!r} has a value that HTTP cannot carry")
    return headers


@dataclass(frozen=True, slots=True)
class Tls:
    """How to encrypt, and which certificates of clients to take; files are relative to this one."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    cert_file: str = ""
    key_file: str = ""
    cert: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    client_ca_file: str = ""
    client_ca: str = ""
    client_auth_type: Annotated[ClientAuth, AfterValidator(_client_auth)] = "NoClientCert"
    client_allowed_sans: tuple[str, ...] = ()
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: Annotated[tuple[str, ...], Field(max_length=1)] = ()

    def __post_init__(self) -> None:
        for name in ("cert", "key"):
            if bool(getattr(self, name)) == bool(getattr(self, f"{name}_file")):
                raise ValueError(f"needs one of {name} and {name}_file")
        verifies = self.client_auth_type in {
            "VerifyClientCertIfGiven",
            "RequireAndVerifyClientCert",
        }
        if self.client_ca and self.client_ca_file:
            raise ValueError("needs at most one of client_ca and client_ca_file")
        if verifies != bool(self.client_ca or self.client_ca_file):
            raise ValueError("client_ca_file and a client_auth_type that verifies need each other")
        if self.client_allowed_sans and not verifies:
            raise ValueError("client_allowed_sans needs a client_auth_type that verifies")


@dataclass(frozen=True, slots=True)
class Http:
    """Headers for every answer; HTTP/2 is not spoken, whatever `http2` says."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    http2: bool = True
    headers: Annotated[dict[str, str], AfterValidator(_header)] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One request per `interval` seconds, and `burst` at once; 0 is no limit."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    interval: Annotated[Seconds, Field(ge=0)] = 0.0
    burst: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the file says; `folder` is where it is."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    tls_server_config: Tls | None = None
    http_server_config: Http = field(default_factory=Http)
    basic_auth_users: dict[str, Annotated[str, AfterValidator(_bcrypt)]] = field(
        default_factory=dict, repr=False
    )
    rate_limit: RateLimit = field(default_factory=RateLimit)

    @property
    def tls(self) -> Tls | None:
        """Return how to encrypt, None for plain HTTP."""
        return self.tls_server_config


_WEB = TypeAdapter(WebConfig)

Stamp = tuple[tuple[int, int, int], ...]
"""By which a change of files shows: inode, size, and time of the last change."""


def stamp(paths: Mapping[str, Path] | tuple[Path, ...]) -> Stamp:
    """Return the stamp of files; one that is not there is told by zeros."""
    found = []
    for path in paths.values() if isinstance(paths, Mapping) else paths:
        try:
            status = path.stat()
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)


class Web:
    """The web configuration in use; raise ConfigError where there is none to begin with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = stamp((path,))
        self._config = self._read()

    def current(self) -> WebConfig:
        """Return the configuration, read again where the file has changed."""
        if (now := stamp((self.path,))) != self._stamp:
            self._stamp = now
            try:
                self._config = self._read(self._config)
                log.info("web configuration reloaded", extra={"file": str(self.path)})
            except ConfigError as error:
                log.error("web configuration not reloaded", extra={"error": str(error)})  # noqa: TRY400 - a mistake in a file, not in the code
        return self._config

    def _read(self, before: WebConfig | None = None) -> WebConfig:
        content: Any = {k: v for k, v in Document.read(self.path).content.items() if v is not None}
        fresh = config.validated(_WEB, content, str(self.path), "")
        if before is not None and (fresh.tls is None) != (before.tls is None):
            problem = "TLS can only be switched on or off by a restart"
            raise ConfigError(str(self.path), "tls_server_config", problem)
        return fresh
