"""Keys of 32 random bytes in files that only their owner can read."""

import os
import secrets
from pathlib import Path

from controlplane.errors import ConfigurationError

KEY_BYTES = 32
PRIVATE = 0o600


def ensure(path: Path) -> None:
    """Make the key if the file is missing; a key that is there is never touched."""
    if not path.exists():
        write_private(path, secrets.token_bytes(KEY_BYTES))


def load(path: Path) -> bytes:
    """Read a key, or raise ConfigurationError naming the file."""
    try:
        key = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the key {path}: {error.strerror}; `chm init` makes it"
        ) from None
    if len(key) < KEY_BYTES:
        raise ConfigurationError(f"the key {path} has {len(key)} bytes, fewer than {KEY_BYTES}")
    return key


def write_private(path: Path, content: bytes) -> None:
    """Write a secret so that a reader finds the old file or the new one, and only the owner reads.

    The folder is made for the owner alone, too.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
