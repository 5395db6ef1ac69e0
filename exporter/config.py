"""Configuration files in the format of snmp_exporter (`auths`, `modules`), and the auths in them.

A file that cannot be used is one `ConfigError` that names the file and the field.
"""

import glob
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import yaml
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")

SECRET = "<secret>"  # noqa: S105 - what is printed in place of one
DURATION_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_DURATION = r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)"


class ConfigError(ValueError):
    """A configuration file, or a part of one, cannot be used."""

    def __init__(self, source: str, field: str, problem: str) -> None:
        super().__init__(": ".join(part for part in (source, field, problem) if part))


def seconds(value: object) -> object:
    """Return the seconds of a duration such as `5s` or `1m30s`; a number is taken as is."""
    if not isinstance(value, str) or re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return value
    if not re.fullmatch(f"({_DURATION})+", value):
        raise ValueError(f"{value!r} is not a duration such as 5s or 1m30s")
    parts = re.findall(_DURATION, value)
    return sum(float(number) * DURATION_UNITS[unit] for number, unit in parts)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]", value) else value


Seconds = Annotated[float, BeforeValidator(seconds)]


@dataclass(frozen=True, slots=True)
class Auth:
    """How to be let in: one entry of `auths`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", coerce_numbers_to_str=True
    )
    SECRETS: ClassVar[tuple[str, ...]] = ("community", "password", "priv_password")

    version: Annotated[Literal[1, 2, 3], BeforeValidator(_whole)] = 2
    community: str = "public"
    username: str = ""
    security_level: Literal["noAuthNoPriv", "authNoPriv", "authPriv"] = "noAuthNoPriv"
    auth_protocol: Literal["MD5", "SHA", "SHA224", "SHA256", "SHA384", "SHA512"] = "MD5"
    priv_protocol: Literal["DES", "AES", "AES192", "AES192C", "AES256", "AES256C"] = "DES"
    password: str = ""
    priv_password: str = ""
    context_name: str = ""

    def __repr__(self) -> str:
        """Return the auth without its secrets, so that no log or traceback holds one."""
        return f"Auth({self.public()})"

    def public(self) -> dict[str, Any]:
        """Return the fields with every secret that is set printed as `<secret>`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: SECRET if v and k in self.SECRETS else v for k, v in values.items()}

    def __post_init__(self) -> None:
        if self.version in {1, 2}:
            return
        if not self.username:
            raise ValueError("version 3 needs a username")
        if self.security_level != "noAuthNoPriv" and not self.password:
            raise ValueError(f"security_level {self.security_level} needs a password")
        if self.security_level == "authPriv" and not self.priv_password:
            raise ValueError("security_level authPriv needs a priv_password")


_AUTHS = TypeAdapter(dict[str, Auth])


class Texts(yaml.CSafeLoader):
    """Reads every scalar but null as text, whose type is up to the field it is for.

    In YAML 1.1 the community 0123 is the number 83 and the state `on` is true; Go's decoder, for
    which these files are written, takes both as they stand where a text is wanted.
    """


Texts.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    if (kept := [entry for entry in resolvers if entry[0].endswith((":null", ":merge"))])
}


def _given(content: Any) -> Any:
    """Return content without the fields that are null: they are as good as left out."""
    if isinstance(content, dict):
        return {key: _given(value) for key, value in content.items() if value is not None}
    return [_given(value) for value in content] if isinstance(content, list) else content


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one configuration file; `path` is for messages."""

    path: str
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the YAML mapping in a file."""
        try:
            content = _given(yaml.load(path.read_bytes(), Texts))  # noqa: S506 - a safe loader
        except OSError as error:
            raise ConfigError(str(path), "", error.strerror or str(error)) from error
        except yaml.YAMLError as error:
            raise ConfigError(str(path), "", _place(error)) from None
        if not isinstance(content, dict):
            raise ConfigError(str(path), "", "is not a mapping with `auths` and `modules`")
        return cls(str(path), content)

    def part(self, key: str) -> Any:
        """Return one top-level field; absent and empty are both an empty mapping."""
        return self.content.get(key) or {}


def read(patterns: Iterable[str], known: frozenset[str]) -> list[Document]:
    """Return the documents behind paths and globs; only `known` top-level fields may be in them."""
    documents = []
    for pattern in patterns:
        paths = sorted(glob.glob(pattern))  # noqa: PTH207 - the pattern may be absolute
        if not paths:
            raise ConfigError(pattern, "", "no such file")
        documents += [Document.read(Path(path)) for path in paths]
    for document in documents:
        for key in document.content:
            if key not in known:
                raise ConfigError(document.path, str(key), "unknown field")
    return documents


def validated(adapter: TypeAdapter[T], data: object, source: str, field: str) -> T:
    """Return `data` as the adapter's type, or raise the first problem as a ConfigError."""
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in (field, *first["loc"]) if part != "")
        raise ConfigError(source, where, first["msg"].removeprefix("Value error, ")) from None


def auths(data: object, source: str) -> dict[str, Auth]:
    """Return the auths of an `auths` mapping by name."""
    return validated(_AUTHS, data, source, "auths")


def expanded(auths: Mapping[str, Auth], environment: Mapping[str, str]) -> dict[str, Auth]:
    """Return auths with `${NAME}` and `$NAME` in user names and passwords replaced.

    Raises ConfigError where the environment has no such variable, as an empty password would be a
    riddle.
    """
    return {name: _expanded(name, auth, environment) for name, auth in auths.items()}


def _expanded(name: str, auth: Auth, environment: Mapping[str, str]) -> Auth:
    def value(match: re.Match[str]) -> str:
        variable = match[1] or match[2]
        if not environment.get(variable):
            problem = f"environment variable {variable} is not set"
            raise ConfigError("", f"auths.{name}", problem)
        return environment[variable]

    def filled(text: str) -> str:
        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)

    return replace(
        auth,
        username=filled(auth.username),
        password=filled(auth.password),
        priv_password=filled(auth.priv_password),
    )


def _place(error: yaml.YAMLError) -> str:
    """Return where a file is no YAML; never what stands there, which may be a secret."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}not valid YAML"
