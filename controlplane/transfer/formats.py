"""The formats of transfer: JSON and YAML have the whole document, CSV has devices alone."""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import yaml

from controlplane.errors import Invalid
from controlplane.transfer import tables


class Format(StrEnum):
    """How a document is written."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


MEDIA_TYPES: Mapping[Format, str] = MappingProxyType(
    {Format.JSON: "application/json", Format.YAML: "application/yaml", Format.CSV: "text/csv"}
)


def write(form: Format, document: Mapping[str, Any]) -> str:
    """Write a document."""
    if form is Format.CSV:
        return tables.write(document["devices"])
    if form is Format.YAML:
        return yaml.dump(
            dict(document), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True
        )
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(form: Format, content: bytes) -> dict[str, Any]:
    """Read a document, or raise Invalid where it is none; what is in it is not looked at yet."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("this is not UTF-8") from None
    if form is Format.CSV:
        return {"devices": tables.read(text)}
    try:
        document = json.loads(text) if form is Format.JSON else _yaml(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise Invalid(f"this is no {form.upper()}") from None
    if not isinstance(document, dict):
        raise Invalid("a document has the lists credentials, sites and devices")
    return document


def _yaml(text: str) -> Any:
    # An alias can make much of little ("billion laughs"), and no export has one.
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    if any(isinstance(event, yaml.AliasEvent) for event in events):
        raise Invalid("a document has no aliases")
    return yaml.load(text, Loader=yaml.CSafeLoader)
