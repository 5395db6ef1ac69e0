from pathlib import Path

import pytest

from exporter import config
from exporter.config import Auth, ConfigError

KNOWN = frozenset({"auths", "modules"})


class TestRead:
    def test_missing(self, tmp_path: Path) -> None:
        """A file that is not there is named."""
        with pytest.raises(ConfigError, match=r"gone\.yml: no such file"):
            config.read([str(tmp_path / "gone.yml")], KNOWN)

    @pytest.mark.parametrize("text", ["- a list", "a: [", "auth: {}"])
    def test_bad_file(self, tmp_path: Path, text: str) -> None:
        """A file that is no configuration is one error that names it."""
        path = tmp_path / "snmp.yml"
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"snmp\.yml: ") as caught:
            config.read([str(path)], KNOWN)
        assert "\n" not in str(caught.value)

    def test_glob(self, tmp_path: Path) -> None:
        """A pattern reads all files it matches, in the order of their names."""
        for name in ("b", "a"):
            (tmp_path / f"{name}.yml").write_text("auths: {}")
        documents = config.read([str(tmp_path / "*.yml")], KNOWN)
        assert [Path(document.path).stem for document in documents] == ["a", "b"]


class TestAuth:
    def test_secrets_are_hidden(self) -> None:
        """No representation of an auth holds a secret."""
        auth = Auth(version=3, username="ann", password="pass-one", priv_password="pass-two")
        assert "pass-" not in f"{auth!r}{auth}{auth.public()}"
        assert auth.public()["password"] == "<secret>"

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"version": 4}, "x.yml: auths.lab.version"),
            ({"comunity": "public"}, "x.yml: auths.lab.comunity"),
            ({"version": 3}, "needs a username"),
            ({"version": 3, "username": "a", "security_level": "authNoPriv"}, "needs a password"),
        ],
        ids=str,
    )
    def test_bad_field(self, fields: dict[str, object], problem: str) -> None:
        """A wrong field is named with its file."""
        with pytest.raises(ConfigError, match=problem):
            config.auths({"lab": fields}, "x.yml")

    def test_number_as_community(self) -> None:
        """A community that looks like a number is still text."""
        assert config.auths({"lab": {"community": 42}}, "x.yml")["lab"].community == "42"


@pytest.mark.parametrize(("text", "number"), [("5s", 5), ("1m30s", 90), ("500ms", 0.5), (3, 3)])
def test_seconds(text: object, number: float) -> None:
    """Durations are written as in Prometheus."""
    assert config.seconds(text) == number


class TestScalars:
    def test_text_stays_text(self, tmp_path: Path) -> None:
        """What YAML 1.1 would call a number or a truth is the text it is written as."""
        path = tmp_path / "snmp.yml"
        path.write_text("auths: {a: {community: 0123, version: 1}, b: {community: on, password: }}")
        [document] = config.read([str(path)], KNOWN)
        auths = config.auths(document.part("auths"), document.path)

        assert (auths["a"].community, auths["a"].version) == ("0123", 1)
        assert (auths["b"].community, auths["b"].password) == ("on", "")

    @pytest.mark.parametrize(
        ("text", "number"), [("5s", 5), ("1m30s", 90), ("1.5s", 1.5), ("250ms", 0.25), ("10", "10")]
    )
    def test_durations(self, text: str, number: object) -> None:
        """A duration reads as in Go; a bare number is seconds."""
        assert config.seconds(text) == number


def test_what_is_no_yaml_is_not_told(tmp_path: Path) -> None:
    """A mistake in a file names its place; what stands there may be a password."""
    path = tmp_path / "snmp.yml"
    path.write_text("auths:\n  lab: {password: !S3cr3tPass}\n")
    with pytest.raises(ConfigError, match=r"snmp\.yml: line 2, column \d+: not valid") as caught:
        config.read([str(path)], KNOWN)
    assert "S3cr3tPass" not in str(caught.value)
