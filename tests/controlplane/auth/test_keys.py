"""Keys in files."""

from pathlib import Path

import pytest

from controlplane.auth import keys
from controlplane.errors import ConfigurationError


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """A second `ensure` keeps the key, and only the owner can read file and folder."""
    path = tmp_path / "secrets" / "jwt.key"
    keys.ensure(path)
    first = keys.load(path)
    keys.ensure(path)
    assert keys.load(path) == first
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["jwt.key"]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    """The error says which file cannot be read, and what makes it."""
    with pytest.raises(ConfigurationError, match=r"vault\.key.*chm init"):
        keys.load(tmp_path / "vault.key")


def test_a_short_key_is_named(tmp_path: Path) -> None:
    """A truncated key is refused by name."""
    path = tmp_path / "jwt.key"
    path.write_bytes(b"x" * 31)
    with pytest.raises(ConfigurationError, match=r"jwt\.key has 31 bytes"):
        keys.load(path)
