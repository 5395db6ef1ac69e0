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
from collections.abc import Mapping
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


def _host(value: str) -> str:
    if not re.fullmatch(r"[^\s/\[\]]+", value):
        raise ValueError(f"{value!r} is not an address or host name")
    return value


@dataclass(frozen=True, slots=True)
class Device:
    """One device: where it is, the auths to try in order, and what to ask it."""

    address: Annotated[str, AfterValidator(_host)]
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


class Cache:
    """The last good snapshot on disk, readable only with the same service token."""

    def __init__(self, path: Path, token: str) -> None:
        self._path = path
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"chm inventory cache")
        self._cipher = AESGCM(derive.derive(token.encode()))

    def load(self) -> bytes | None:
        """Return what was stored, None where nothing was; raise ConfigError where it is no use."""
        try:
            stored = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(str(self._path), "", error.strerror or str(error)) from error
        nonce, sealed = stored[len(MAGIC) :][:NONCE_BYTES], stored[len(MAGIC) + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, MAGIC)
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
        nonce = secrets.token_bytes(NONCE_BYTES)
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + nonce + self._cipher.encrypt(nonce, body, MAGIC))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)


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
        if self.cache is None or not self._unstored:
            return
        try:
            self.cache.store(self._unstored)
        except OSError as error:
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
