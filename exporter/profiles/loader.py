"""Modules and vendor profiles from files: those of the product, and those of the operator."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from exporter import config
from exporter.config import Auth, ConfigError, Document
from exporter.metrics import CATALOGUE
from exporter.profiles import functions, notices, values
from exporter.profiles.layout import Memory
from exporter.profiles.notices import Notice
from exporter.profiles.schema import Health, Info, Match, Module, Profile
from exporter.profiles.table import Table

SHIPPED = Path(__file__).parent
FILE_FIELDS = frozenset({"auths", "modules", "profiles", "traps", "version"})
GENERIC = "generic"
"""The profile of a device that no other matches."""

# What snmp_exporter's own file allows, for those who start without a file.
PUBLIC_AUTHS = {"public_v1": Auth(version=1), "public_v2": Auth(version=2)}

T = TypeVar("T")

_MODULES = TypeAdapter(dict[str, Module])
_PROFILE = TypeAdapter(Profile)
_OWN = TypeAdapter(dict[str, Profile])


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the files say, ready for use; replaced as a whole by a reload."""

    auths: Mapping[str, Auth]
    modules: Mapping[str, Table]
    profiles: Mapping[str, Profile]
    traps: Mapping[str, Notice]
    """What traps mean, by their OID."""


def load(patterns: Iterable[str], wrap: int = values.WRAP) -> Configuration:
    """Return the product's modules, profiles and traps with the operator's files on top.

    What the operator names as the product does replaces that; of traps the same OID does, too.
    Numbers are taken modulo `wrap`, unless that is 0.
    """
    documents = config.read(patterns, FILE_FIELDS)
    shipped = [Document.read(path) for path in sorted((SHIPPED / "modules").glob("*.yml"))]
    auths = _merged((document, config.auths(document.part("auths"), document.path))
                    for document in documents)  # fmt: skip
    memory = Memory()
    own = _merged((document, _modules(document, memory, wrap)) for document in documents)
    modules = _merged((document, _modules(document, memory, wrap)) for document in shipped) | own
    return Configuration(
        auths or PUBLIC_AUTHS, modules, _profiles(documents, modules), _traps(documents)
    )


def _traps(documents: Iterable[Document]) -> Mapping[str, Notice]:
    shipped = [Document.read(path) for path in sorted((SHIPPED / "traps").glob("*.yml"))]
    given, own = (_merged((each, notices.read(each)) for each in of) for of in (shipped, documents))
    return notices.by_oid(given, own)


def _merged(parts: Iterable[tuple[Document, dict[str, T]]]) -> dict[str, T]:
    merged: dict[str, T] = {}
    for document, part in parts:
        for name in part:
            if name in merged:
                raise ConfigError(document.path, name, "is defined in two files")
        merged |= part
    return merged


def _modules(document: Document, memory: Memory, wrap: int) -> dict[str, Table]:
    modules = config.validated(_MODULES, document.part("modules"), document.path, "modules")
    tables = {name: Table(module, memory, wrap) for name, module in modules.items()}
    for name, table in tables.items():
        for position, entry in enumerate(table.module.health):
            if problem := _problem(entry, table):
                where = f"modules.{name}.health.{position}"
                raise ConfigError(document.path, where, problem)
    return tables


def _problem(entry: Health, table: Table) -> str:
    """Return what is wrong with a health entry, or nothing."""
    if set(entry.labels) != set(CATALOGUE[entry.family].labels):
        wanted = ", ".join(CATALOGUE[entry.family].labels) or "none"
        return f"labels of {entry.family} must be: {wanted}"
    for operand in entry.value:
        if operand.partition(".")[0] not in table.by_name:
            return f"{operand!r} is not a metric of the module"
    operands = [*entry.plus, *entry.minus, *entry.times, entry.sensor_scale, entry.precision]
    known = _labels(entry.value[0].partition(".")[0], table) | set(table.by_name)
    sources = [
        part for names in entry.labels.values() for name in names for part in name.split("+")
    ]
    for name in (*operands, *sources, *entry.where, *entry.without, entry.part):
        if name.startswith("@") and name[1:] not in functions.LABELS:
            return f"{name!r} is not a function of exporter/profiles/functions.py"
        if name and name[0] not in "=@" and name.partition(".")[0] not in known:
            return f"{name!r} is neither a metric of the module nor a label of {entry.value[0]}"
    if unknown := set(entry.words) - set(entry.labels):
        return f"words for {', '.join(sorted(unknown))}, which is no label of {entry.family}"
    return ""


def _labels(metric: str, table: Table) -> set[str]:
    found = table.by_name[metric].metric
    indexes = {part.labelname for part in found.indexes}
    return indexes | {part.labelname for part in found.lookups}


def _profiles(documents: Iterable[Document], modules: Mapping[str, Table]) -> dict[str, Profile]:
    """Return the product's profiles, with those of the operator's files on top."""
    paths = sorted((SHIPPED / "vendors").glob("*.yml"))
    shipped = {path.stem: _shipped(Document.read(path)) for path in paths}
    given = shipped | _merged((document, _own(document)) for document in documents)
    raw = {name: each.profile for name, each in given.items()}
    profiles = {name: _extended(name, raw, each) for name, each in given.items()}
    taken: dict[Match, str] = {}
    for name, profile in profiles.items():
        for module in profile.modules:
            if module not in modules:
                raise given[name].error("modules", f"unknown module {module!r}")
        for match in profile.match:
            if (other := taken.setdefault(match, name)) != name:
                raise given[name].error("match", f"is that of the profile {other!r}, too")
    return profiles


@dataclass(frozen=True, slots=True)
class Given:
    """A profile as a file gives it, and where it stands there, for messages."""

    profile: Profile
    path: str
    field: str = ""

    def error(self, field: str, problem: str) -> ConfigError:
        """Return what to raise about one of its fields."""
        return ConfigError(self.path, f"{self.field}.{field}".lstrip("."), problem)


def _shipped(document: Document) -> Given:
    profile = config.validated(_PROFILE, document.content, document.path, "")
    return Given(profile, document.path)


def _own(document: Document) -> dict[str, Given]:
    found = config.validated(_OWN, document.part("profiles"), document.path, "profiles")
    return {
        name: Given(profile, document.path, f"profiles.{name}") for name, profile in found.items()
    }


def _extended(name: str, raw: Mapping[str, Profile], given: Given) -> Profile:
    """Return a profile with what it extends: modules in that order, facts its own first."""
    profile, seen, extends = raw[name], [name], raw[name].extends
    while extends:
        if extends not in raw or extends in seen:
            raise given.error("extends", f"cannot be {extends!r}")
        seen.append(extends)
        base = raw[extends]
        extends = base.extends
        info = Info(
            *(getattr(profile.info, f.name) + getattr(base.info, f.name) for f in fields(Info))
        )
        profile = replace(
            profile,
            vendor=profile.vendor or base.vendor,
            modules=tuple(dict.fromkeys((*base.modules, *profile.modules))),
            info=info,
        )
    return profile
