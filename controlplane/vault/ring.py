"""The ring of keys that wrap data keys: from files, the environment, or a command.

A key has a version, a number that grows. The newest wraps; older ones open what they wrapped until
everything is wrapped anew. With a command, a KMS or HashiCorp Vault keeps the keys.
"""

import base64
import binascii
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from controlplane import files
from controlplane.errors import ChmError, ConfigurationError, Unavailable
from controlplane.settings import Settings

KEY_BYTES = 32
COMMAND_SECONDS = 10.0  # that a command may take
COMMAND_PAUSE = 10.0  # seconds before one that failed is asked again
FIRST = 1


class UnknownKey(ChmError):
    """The ring has no key of this version."""


class Ring(Protocol):
    """Gives keys of 32 bytes by version."""

    @property
    def source(self) -> str:
        """Say where the keys come from, for messages."""

    def current(self) -> int:
        """Give the version that new data keys are wrapped with."""

    def versions(self) -> list[int] | None:
        """Give the versions that there are, or None where only asking for one would tell."""

    def key(self, version: int) -> bytes:
        """Give a key, raise UnknownKey where it is not there, Unavailable where nobody can say."""


def from_settings(settings: Settings) -> Ring:
    """Choose the ring: CHM_VAULT_KEYS, CHM_VAULT_KEY_COMMAND, or files in the folder of secrets."""
    if settings.vault_keys is not None:
        keys = parse(settings.vault_keys.get_secret_value())
        return Given(keys, settings.vault_key_version or max(keys))
    if settings.vault_key_command:
        if settings.vault_key_version is None:
            raise ConfigurationError("CHM_VAULT_KEY_COMMAND needs CHM_VAULT_KEY_VERSION")
        return Command(tuple(shlex.split(settings.vault_key_command)), settings.vault_key_version)
    return Files(settings.secrets)


def is_missing(settings: Settings) -> bool:
    """Say whether keys are files and there is none yet."""
    ring = from_settings(settings)
    return isinstance(ring, Files) and not ring.versions()


def ensure(settings: Settings) -> None:
    """Make the first key where keys are files and there is none yet."""
    ring = from_settings(settings)
    if isinstance(ring, Files) and not ring.versions():
        ring.first()


def parse(text: str) -> dict[int, bytes]:
    """Read `1:<base64>,2:<base64>`, or raise ConfigurationError, which holds nothing of it."""
    keys = {}
    for part in text.split(","):
        version, _, encoded = part.strip().partition(":")
        if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
            raise ConfigurationError("CHM_VAULT_KEYS must be like 1:<base64>,2:<base64>")
        keys[int(version)] = decode(encoded, f"key {version} of CHM_VAULT_KEYS")
    return keys


def decode(encoded: str, what: str) -> bytes:
    """Read a key written in base64, or raise ConfigurationError naming what it is."""
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(f"{what} is not base64") from None
    return _whole(key, what)


def _whole(key: bytes, what: str) -> bytes:
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{what} has {len(key)} bytes, not {KEY_BYTES}")
    return key


@dataclass(frozen=True)
class Given:
    """Keys that are given: by the environment, or by a test."""

    keys: Mapping[int, bytes] = field(repr=False)
    version: int
    source: str = "CHM_VAULT_KEYS"

    def current(self) -> int:
        """Give the version to wrap with."""
        return self.version

    def versions(self) -> list[int] | None:
        """Give the versions that there are."""
        return sorted(self.keys)

    def key(self, version: int) -> bytes:
        """Give a key."""
        if version not in self.keys:
            raise UnknownKey(f"{self.source} holds no key {version}")
        return _whole(self.keys[version], f"key {version} of {self.source}")


@dataclass(frozen=True)
class Files:
    """Keys in files of 32 bytes: `vault.key` is version 1, `vault.<n>.key` version n.

    `vault.<n>.key.next` is prepared: it opens, so that every replica can be given it, and wraps
    only once it is made active. The folder is looked at with each seal, so a replica that shares it
    wraps with a new key at once; and a key is read when something asks for its version.
    """

    folder: Path
    source: str = "files"
    _read: dict[int, bytes] = field(default_factory=dict, repr=False, compare=False)

    def current(self) -> int:
        """Give the newest version that is active."""
        return max(self._found("vault.*.key"), default=FIRST)

    def versions(self) -> list[int] | None:
        """Give the versions that there are, prepared ones too."""
        found = {*self._found("vault.*.key"), *self._found("vault.*.key.next")}
        return sorted(found | ({FIRST} if self._path(FIRST).exists() else set()))

    def key(self, version: int) -> bytes:
        """Give a key; one that was read once is not read again."""
        if version not in self._read:
            self._read[version] = self._load(version)
        return self._read[version]

    def first(self) -> None:
        """Make the first key of a new installation."""
        files.replace(self._path(FIRST), secrets.token_bytes(KEY_BYTES), files.PRIVATE)

    def prepared(self) -> int | None:
        """Give the version that is prepared and not active, if one is."""
        return max(self._found("vault.*.key.next"), default=None)

    def prepare(self) -> int:
        """Make the next key, for replicas to be given before anything is wrapped with it."""
        version = self.prepared()
        if version is None:
            version = max(self.versions() or [], default=FIRST) + 1
            files.replace(self._next(version), secrets.token_bytes(KEY_BYTES), files.PRIVATE)
        return version

    def activate(self) -> int:
        """Wrap with the prepared key from now on; give its version."""
        version = self.prepare()
        self._next(version).rename(self._path(version))
        return version

    def remove(self, version: int) -> None:
        """Remove a key for good; nothing that it wraps opens any more."""
        self._path(version).unlink()
        self._read.pop(version, None)

    def _load(self, version: int) -> bytes:
        for path in (self._path(version), self._next(version)):
            try:
                return _whole(path.read_bytes(), f"the key {path}")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise ConfigurationError(f"cannot read the key {path}: {error.strerror}") from None
        raise UnknownKey(f"there is no {self._path(version).name} in the folder of secrets")

    def _path(self, version: int) -> Path:
        return self.folder / ("vault.key" if version == FIRST else f"vault.{version}.key")

    def _next(self, version: int) -> Path:
        return self.folder / f"vault.{version}.key.next"

    def _found(self, pattern: str) -> list[int]:
        numbers = (path.name.split(".")[1] for path in self.folder.glob(pattern))
        return [int(number) for number in numbers if re.fullmatch(r"[1-9][0-9]{0,8}", number)]


@dataclass(frozen=True)
class Command:
    """Keys that a command prints in base64, given the version as its last argument.

    It is run without a shell, once for each version, and what it prints stays in memory.
    """

    argv: tuple[str, ...]
    version: int
    seconds: float = COMMAND_SECONDS
    source: str = "CHM_VAULT_KEY_COMMAND"
    _read: dict[int, bytes] = field(default_factory=dict, repr=False, compare=False)
    _failed: dict[int, float] = field(default_factory=dict, repr=False, compare=False)

    def current(self) -> int:
        """Give the version to wrap with."""
        return self.version

    def versions(self) -> list[int] | None:
        """Give None: a command is asked for a key, not for a list."""
        return None

    def key(self, version: int) -> bytes:
        """Give a key; a command that failed is not asked again at once."""
        if version not in self._read:
            if time.monotonic() < self._failed.get(version, 0):
                raise Unavailable(f"{self.source} gave no key {version} a moment ago")
            self._read[version] = self._ask(version)
        return self._read[version]

    def _ask(self, version: int) -> bytes:
        self._failed[version] = time.monotonic() + COMMAND_PAUSE
        try:
            run = subprocess.run(
                [*self.argv, str(version)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=self.seconds,
                check=True,
                text=True,
            )
        except subprocess.CalledProcessError as error:
            detail = f"ended with {error.returncode}"
        except subprocess.TimeoutExpired:
            detail = f"took more than {self.seconds:g} s"
        except (OSError, UnicodeDecodeError) as error:
            detail = f"cannot be run: {error}"
        else:
            return decode(run.stdout, f"what {self.source} printed for key {version}")
        raise Unavailable(f"{self.source} gave no key {version}: it {detail}") from None
