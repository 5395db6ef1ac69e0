"""The formats of transfer: JSON and YAML have the whole document, CSV one kind of rows alone."""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import yaml

from controlplane.errors import Invalid
from controlplane.transfer import tables
from controlplane.transfer.tables import Kind


class Format(StrEnum):
    """How a document is written."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


MEDIA_TYPES: Mapping[Format, str] = MappingProxyType(
    {Format.JSON: "application/json", Format.YAML: "application/yaml", Format.CSV: "text/csv"}
)

DEPTH = 100  # of lists and objects in YAML, whose parser recurses in C


def write(form: Format, document: Mapping[str, Any], kind: Kind = Kind.DEVICES) -> str:
    """Write a document; as a table, the rows of this kind."""
    if form is Format.CSV:
        return tables.write(document[kind], kind)
    if form is Format.YAML:
        return yaml.dump(
            dict(document), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True
        )
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def decode(content: bytes) -> str:
    """Give the text of a file, or raise Invalid where it is none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("this is not UTF-8") from None


def read(form: Format, text: str, kind: Kind = Kind.DEVICES) -> dict[str, Any]:
    """Read a document, or raise Invalid where it is none; what is in it is not looked at yet."""
    if form is Format.CSV:
        return {kind.value: tables.read(text, kind)}
    document = parse(form, text)
    if not isinstance(document, dict):
        raise Invalid("a document has lists of what it holds, such as devices")
    return document


def parse(form: Format, text: str) -> Any:
    """Read JSON or YAML, or raise Invalid where it is none, or nested beyond all reason."""
    try:
        return json.loads(text) if form is Format.JSON else _yaml(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise Invalid(f"this is no {form.upper()}") from None


def _yaml(text: str) -> Any:
    # An alias can make much of little ("billion laughs"), and no export has one.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise Invalid("a document has no aliases")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise Invalid(f"a document is not nested more than {DEPTH} deep")
    return yaml.load(text, Loader=yaml.CSafeLoader)
