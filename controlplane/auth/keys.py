"""Keys of 32 random bytes in files that only their owner can read."""

import secrets
from pathlib import Path

from controlplane import files
from controlplane.errors import ConfigurationError

KEY_BYTES = 32


def ensure(path: Path) -> None:
    """Make the key if the file is missing; a key that is there is never touched."""
    if not path.exists():
        files.replace(path, secrets.token_bytes(KEY_BYTES), files.PRIVATE)


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
