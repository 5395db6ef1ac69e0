"""Where keys come from."""

import base64
import stat
import sys
from pathlib import Path

import pytest

from controlplane.errors import ConfigurationError, Unavailable
from controlplane.settings import Settings
from controlplane.vault import ring
from controlplane.vault.ring import Command, Files, UnknownKey

ENCODED = {version: base64.b64encode(bytes([version]) * 32).decode() for version in (1, 2)}


def program(folder: Path, body: str) -> tuple[str, ...]:
    """Make a program that is given a version."""
    file = folder / "give-key"
    file.write_text(f"import base64, os, sys, time\n{body}\n")
    return (sys.executable, str(file))


class TestFiles:
    def test_the_first_key_is_made_once(self, tmp_path: Path) -> None:
        """A new installation gets a key for its owner's eyes; the next start leaves it alone."""
        settings = Settings(data=tmp_path)
        ring.ensure(settings)
        made = (settings.secrets / "vault.key").read_bytes()
        ring.ensure(settings)

        assert (settings.secrets / "vault.key").read_bytes() == made
        assert stat.S_IMODE((settings.secrets / "vault.key").stat().st_mode) == 0o600
        assert ring.from_settings(settings).versions() == [1]

    def test_a_prepared_key_opens_and_does_not_wrap(self, tmp_path: Path) -> None:
        """Every host can be given the next key before any host wraps with it."""
        here = Files(tmp_path)
        here.first()
        assert here.prepare() == here.prepare() == 2
        assert (here.current(), here.versions()) == (1, [1, 2])
        assert len(here.key(2)) == 32

        assert here.activate() == 2
        assert (here.current(), here.prepared()) == (2, None)

    def test_a_replica_learns_a_new_key_from_the_folder(self, tmp_path: Path) -> None:
        """Whoever shares the folder wraps with a new key, and opens with it, without a restart."""
        one, other = Files(tmp_path), Files(tmp_path)
        one.first()
        assert other.current() == 1
        one.activate()
        assert other.current() == 2
        assert other.key(2) == one.key(2)

    def test_a_key_that_was_retired_does_not_come_back(self, tmp_path: Path) -> None:
        """Not by the start of the next process, and its number is not used again."""
        settings = Settings(data=tmp_path)
        ring.ensure(settings)
        keys = Files(settings.secrets)
        keys.activate()
        keys.remove(1)
        ring.ensure(settings)

        assert keys.versions() == [2]
        assert keys.activate() == 3
        with pytest.raises(UnknownKey):
            Files(settings.secrets).key(1)


class TestEnvironment:
    def test_keys_from_the_environment(self, tmp_path: Path) -> None:
        """The newest wraps unless a setting says otherwise, and nothing shows a key."""
        text = f"1:{ENCODED[1]}, 2:{ENCODED[2]}"
        newest = ring.from_settings(Settings(data=tmp_path, vault_keys=text))
        assert (newest.current(), newest.key(1)) == (2, b"\x01" * 32)
        chosen = ring.from_settings(Settings(data=tmp_path, vault_keys=text, vault_key_version=1))
        assert chosen.current() == 1
        with pytest.raises(UnknownKey):
            newest.key(3)
        assert ENCODED[1] not in repr(Settings(data=tmp_path, vault_keys=text))

    @pytest.mark.parametrize(
        "text", ["", "no-key", "x:AAAA", "0:AAAA", "1:AAAA", "1:%%%", f"{ENCODED[1]}", "1:\n2:"]
    )
    def test_what_is_no_key_is_not_repeated(self, tmp_path: Path, text: str) -> None:
        """A service refuses to start, and the refusal holds nothing of the setting."""
        with pytest.raises(ConfigurationError) as refusal:
            ring.from_settings(Settings(data=tmp_path, vault_keys=text))
        assert not text or text not in refusal.value.detail

    def test_children_are_given_the_keys(self, tmp_path: Path) -> None:
        """`chm up` hands its settings to the processes it starts: secrets whole, unset left out."""
        given = Settings(data=tmp_path, vault_keys=f"1:{ENCODED[1]}").environment()
        assert given["CHM_VAULT_KEYS"] == f"1:{ENCODED[1]}"
        assert "CHM_VAULT_KEY_VERSION" not in given


class TestCommand:
    def test_a_command_is_asked_once_for_each_version(self, tmp_path: Path) -> None:
        """It gets the version as its last argument; what it printed stays in memory."""
        count = tmp_path / "count"
        argv = program(
            tmp_path,
            f"open({str(count)!r}, 'a').write(sys.argv[-1])\n"
            "print(base64.b64encode(bytes([int(sys.argv[-1])]) * 32).decode())",
        )
        keys = Command((*argv, "; touch", "$HOME"), 2)
        assert [keys.key(version) for version in (2, 1, 2, 1)] == [b"\2" * 32, b"\1" * 32] * 2
        assert count.read_text() == "21"

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ("sys.exit(3)", "ended with 3"),
            ("time.sleep(20)", "took more than 0.5 s"),
        ],
    )
    def test_a_command_that_fails_is_not_asked_at_once(
        self, tmp_path: Path, body: str, reason: str
    ) -> None:
        """It is a 503 for who needs the key, and a command that hangs does not hang us twice."""
        keys = Command(program(tmp_path, body), 1, seconds=0.5)
        with pytest.raises(Unavailable, match=reason):
            keys.key(1)
        with pytest.raises(Unavailable, match="a moment ago"):
            keys.key(1)

    def test_what_it_prints_is_not_repeated(self, tmp_path: Path) -> None:
        """A key of a wrong length is refused without showing it."""
        keys = Command(program(tmp_path, "print('c2hvcnQta2V5')"), 1)
        with pytest.raises(ConfigurationError, match="9 bytes") as refusal:
            keys.key(1)
        assert "c2hvcnQta2V5" not in refusal.value.detail

    def test_a_command_needs_a_version(self, tmp_path: Path) -> None:
        """A command cannot be asked which key is the newest."""
        with pytest.raises(ConfigurationError, match="CHM_VAULT_KEY_VERSION"):
            ring.from_settings(Settings(data=tmp_path, vault_key_command="give-key"))
