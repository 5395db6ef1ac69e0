"""The devices to monitor: a snapshot from the control plane, kept while that is down.

`GET {controlplane}/api/v1/exporter/snapshot` is polled with an ETag. The last good snapshot is
written to disk under AES-256-GCM, the key derived from the service token (HKDF, RFC 5869).
"""

import asyncio
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import AfterValidator, Field, TypeAdapter

from exporter import config
from exporter.config import Auth, ConfigError
from exporter.telemetry import Telemetry

if TYPE_CHECKING:
    import httpx  # a quarter of the time it takes to start, and not needed without a control plane

log = logging.getLogger(__name__)

PATH = "/api/v1/exporter/snapshot"
MAGIC = b"CHM1"
NONCE_BYTES = 12
FOLLOW_SECONDS = 1.0  # between two looks at what the leading process has stored


def host(value: str) -> str:
    """Return an address or host name as it is given, or raise ValueError."""
    if not re.fullmatch(r"[^\s/\[\]]+", value):
        raise ValueError(f"{value!r} is not an address or host name")
    return value


@dataclass(frozen=True, slots=True)
class Device:
    """One device: where it is, the auths to try in order, and what to ask it."""

    address: Annotated[str, AfterValidator(host)]
    auths: tuple[str, ...]
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    profile: str | None = None
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All monitored devices by name, and the auths they use."""

    revision: str
    auths: dict[str, Auth]
    devices: dict[str, Device]


_SNAPSHOT = TypeAdapter(Snapshot)


def parse(body: bytes) -> Snapshot:
    """Return the snapshot in a response, or raise ConfigError: it is used whole or not at all."""
    try:
        data = json.loads(body)
    except ValueError as error:
        raise ConfigError("snapshot", "", f"is not JSON: {error}") from None
    snapshot = config.validated(_SNAPSHOT, data, "snapshot", "")
    for name, device in snapshot.devices.items():
        for auth in device.auths:
            if auth not in snapshot.auths:
                raise ConfigError("snapshot", f"devices.{name}.auths", f"unknown auth {auth!r}")
    return snapshot


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


@dataclass(slots=True)
class Inventory:
    """The snapshot in use, and the client that keeps it fresh.

    Of several processes with one cache one leads, and asks the control plane; the others read what
    it stores.
    """

    client: "httpx.AsyncClient"
    telemetry: Telemetry
    refresh: float
    cache: Cache | None = None
    token: Token | None = None
    snapshot: Snapshot | None = None
    leads: bool = True
    _stored: float = field(default=0.0, init=False)
    _etag: str = field(default="", init=False)
    _unstored: bytes = field(default=b"", init=False, repr=False)
    _failing: str = field(default="", init=False)

    @property
    def devices(self) -> Mapping[str, Device]:
        """Return the devices by name; empty before the first snapshot."""
        return self.snapshot.devices if self.snapshot else {}

    def restore(self) -> None:
        """Use the snapshot on disk until the control plane answers."""
        if self.cache is None:
            return
        self._stored = self.cache.changed()
        try:
            if (body := self.cache.load()) is not None:
                self._use(parse(body))
                log.info("inventory restored from disk", extra={"devices": len(self.devices)})
        except ConfigError as error:
            self._failed("cache", str(error))

    async def poll(self) -> None:
        """Ask the control plane once; whatever goes wrong, the snapshot in use stays."""
        import httpx  # noqa: PLC0415 - see above

        headers = {"If-None-Match": self._etag} if self._etag else {}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.current()}"
        try:
            response = await self.client.get(PATH, headers=headers)
        except httpx.HTTPError as error:
            self._failed("unreachable", f"{type(error).__name__}: {error}")
            return
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            self._confirmed()
            self._store()
        elif response.status_code != HTTPStatus.OK:
            self._failed("status", f"the control plane answered {response.status_code}")
        else:
            self._received(response)

    async def run(self) -> None:
        """Poll for ever."""
        while True:
            if self.leads:
                await self.poll()
                await asyncio.sleep(self.refresh)
            else:
                self.follow()
                await asyncio.sleep(min(self.refresh, FOLLOW_SECONDS))

    def follow(self) -> None:
        """Use what the leading process has stored since."""
        if self.cache is not None and self.cache.changed() != self._stored:
            self.restore()

    async def close(self) -> None:
        """Give the connection back."""
        await self.client.aclose()

    def _received(self, response: "httpx.Response") -> None:
        try:
            snapshot = parse(response.content)
        except ConfigError as error:
            self._failed("malformed", str(error))
            return
        self._use(snapshot)
        self._etag = response.headers.get("ETag", "")
        log.info("inventory changed", extra={"devices": len(self.devices)})
        self._confirmed()
        self._unstored = response.content
        self._store()

    def _store(self) -> None:
        """Write what is not on disk yet; where that fails it is tried again at the next poll."""
        if self.cache is None:
            return
        try:
            if self._unstored:
                self.cache.store(self._unstored)
            else:
                self.cache.renew()
        except (OSError, ConfigError) as error:
            self._failed("cache", f"cannot write the inventory to disk: {error}")
        else:
            self._unstored = b""

    def _use(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.telemetry.snapshot_devices.set(len(snapshot.devices))

    def _confirmed(self) -> None:
        self._failing = ""
        self.telemetry.snapshot_confirmed.set(time.time())

    def _failed(self, reason: str, detail: str) -> None:
        self.telemetry.snapshot_failures.labels(reason).inc()
        # Once per outage: a control plane that is down for a day is not 17,000 lines.
        if reason != self._failing:
            log.error("inventory not refreshed", extra={"reason": reason, "error": detail})
        self._failing = reason
