"""MIB files: found by the name of their module, read by pysmi's parser, each once."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pysmi.error import PySmiError
from pysmi.parser.dialect import smi_v1_relaxed
from pysmi.parser.smi import parserFactory

from controlplane.errors import Invalid

HEAD = re.compile(r"^\s*([A-Z][A-Za-z0-9-]*)\s+(?:\{[^}]*\}\s*)?DEFINITIONS\b", re.MULTILINE)
DEFINITION = r"(?m)^\s*{}\s+(?:OBJECT-TYPE|OBJECT-IDENTITY|MODULE-IDENTITY|OBJECT\s+IDENTIFIER)\b"
PART = r"[A-Za-z][A-Za-z0-9-]*"

# What can be given an OID, by the name that pysmi's syntax tree has for it.
VALUES = {"moduleIdentityClause", "objectIdentityClause", "objectTypeClause", "valueDeclaration"}


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An OBJECT-TYPE as written: its syntax is not resolved yet."""

    name: str
    syntax: Any
    access: str
    description: str
    augments: str
    index: tuple[tuple[bool, str], ...]

    @property
    def is_table(self) -> bool:
        """Return whether it is a table, which has no value of its own."""
        return bool(self.syntax) and self.syntax[0] == "conceptualTable"

    @property
    def is_row(self) -> bool:
        """Return whether it is the row of a table."""
        return bool(self.index or self.augments)


@dataclass(slots=True)
class Mib:
    """The symbols of one MIB module: OIDs as written, objects, types, and where others are from."""

    name: str
    imports: dict[str, str] = field(default_factory=dict)
    oids: dict[str, list[Any]] = field(default_factory=dict)
    objects: dict[str, ObjectType] = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)


class Library:
    """The MIB files in some folders."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)
        self._files = dict(self._found())
        self._read: dict[Path, dict[str, Mib]] = {}

    def mib(self, name: str) -> Mib | None:
        """Return a MIB module, or None where no file has it."""
        for path, text in self._files.items():
            if name in HEAD.findall(text):
                return self._parsed(path)[name]
        return None

    def defining(self, symbol: str) -> list[str]:
        """Return the names of the MIB modules that give a symbol its OID."""
        pattern = re.compile(DEFINITION.format(re.escape(symbol)))
        return [
            mib.name
            for path, text in self._files.items()
            if pattern.search(text)
            for mib in self._parsed(path).values()
            if symbol in mib.oids
        ]

    def _found(self) -> Iterator[tuple[Path, str]]:
        for folder in self.folders:
            if not folder.is_dir():
                raise Invalid(f"{folder} is not a folder")
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    text = path.read_text(encoding="utf-8", errors="replace")
                    if HEAD.search(text):
                        yield path, text

    def _parsed(self, path: Path) -> dict[str, Mib]:
        if path not in self._read:
            try:
                modules = _parser().parse(self._files[path])
            except PySmiError as error:
                line = getattr(error, "lineno", None) or "?"
                raise Invalid(f"{path}, line {line}: this is not a valid MIB") from error
            self._read[path] = {module[0]: _mib(module) for module in modules}
        return self._read[path]


@cache
def _parser() -> Any:
    """Return pysmi's parser, which takes a third of a second to make; SMIv1 and slips are fine."""
    return parserFactory(**smi_v1_relaxed)()


def _mib(module: tuple[Any, ...]) -> Mib:
    name, _, imports, declarations = module
    mib = Mib(name)
    for origin, symbols in (imports or {}).items():
        mib.imports |= dict.fromkeys(symbols, origin)
    for declaration in declarations or []:
        kind, symbol = declaration[0], declaration[1]
        if kind == "typeDeclaration":
            mib.types[symbol] = declaration[2]
        elif kind in VALUES:
            mib.oids[symbol] = declaration[-1][1]
        if kind == "objectTypeClause":
            mib.objects[symbol] = _object(declaration)
    return mib


def _object(declaration: tuple[Any, ...]) -> ObjectType:
    _, name, syntax, _, access, _, description, _, augments, index, _, _ = declaration
    return ObjectType(
        name,
        syntax,
        access[1] if access else "",
        description[1] if description else "",
        augments or "",
        tuple((bool(implied), part) for implied, part in index[1]) if index else (),
    )
