"""The last good snapshot on disk, and the service token that it is read with.

It is written under AES-256-GCM, the key derived from the token (HKDF, RFC 5869).
"""

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from exporter.config import ConfigError

log = logging.getLogger(__name__)

MAGIC = b"CHM1"
NONCE_BYTES = 12


class Token:
    """The service token in a file, as it is there now: it is rotated without a restart.

    Raises ConfigError where there is none to begin with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last, self._problem = "", ""
        if not self.current():
            raise ConfigError(str(path), "", self._problem)

    def current(self) -> str:
        """Return the token; while the file holds none, the last one."""
        try:
            found, problem = self._path.read_text().strip(), "holds no token"
        except (OSError, UnicodeDecodeError) as error:
            found, problem = "", getattr(error, "strerror", None) or "is no text"
        if not found and not self._problem and self._last:
            log.error("token not read", extra={"file": str(self._path), "error": problem})
        self._problem = "" if found else problem
        self._last = found or self._last
        return self._last


def _cipher(token: str) -> AESGCM:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"chm inventory cache")
    return AESGCM(derive.derive(token.encode()))


class Cache:
    """The last good snapshot on disk, readable only with the service token of that time."""

    def __init__(self, path: Path, token: Callable[[], str]) -> None:
        self._path = path
        self._token = token
        self._used = token()

    def load(self) -> bytes | None:
        """Return what was stored, None where nothing was; raise ConfigError where it is no use."""
        return self._opened(self._token())

    def renew(self) -> None:
        """Keep what is stored under the token of now, where that has become another one."""
        if self._token() != self._used and (body := self._opened(self._used)) is not None:
            self.store(body)

    def _opened(self, token: str) -> bytes | None:
        try:
            stored = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(str(self._path), "", error.strerror or str(error)) from error
        nonce, sealed = stored[len(MAGIC) :][:NONCE_BYTES], stored[len(MAGIC) + NONCE_BYTES :]
        try:
            return _cipher(token).decrypt(nonce, sealed, MAGIC)
        except (InvalidTag, ValueError):
            problem = "cannot be decrypted: damaged, or written with another token"
            raise ConfigError(str(self._path), "", problem) from None

    def changed(self) -> float:
        """Return when something was last stored, 0 where nothing was."""
        try:
            return self._path.stat().st_mtime
        except OSError:  # what cannot be seen is not there; reading it would say why
            return 0.0

    def store(self, body: bytes) -> None:
        """Replace what is stored, in one step and for the owner's eyes only."""
        nonce, token = secrets.token_bytes(NONCE_BYTES), self._token()
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + nonce + _cipher(token).encrypt(nonce, body, MAGIC))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        self._used = token
