"""Exporters on the wire."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from controlplane.grammar import NOT_NULL, Name

ADDRESS = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})):([0-9]{1,5})")
LAST_PORT = 65535
SHARED = "exporter"


def _address(value: str) -> str:
    found = ADDRESS.fullmatch(value)
    if found is None or not 0 < int(found[1]) <= LAST_PORT:
        raise ValueError("must be host:port, such as 10.0.0.5:9116 or [2001:db8::5]:9116")
    return value


def _own(name: str) -> str:
    if name == SHARED:
        raise ValueError(f"{SHARED} is the name of the token that all exporters may share")
    return name


Address = Annotated[str, Field(max_length=261), AfterValidator(_address)]
Weight = Annotated[int, Field(ge=1, le=1000)]


class ExporterCreate(BaseModel):
    """An exporter to register: it gets devices in proportion to its weight.

    With a site it asks the devices there and below, and no others; draining it gets none, and
    already knows those that it will get.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Name, AfterValidator(_own)]
    address: Address
    site: Name | None = None
    weight: Weight = 1
    draining: bool = False


class ExporterUpdate(BaseModel):
    """The fields of an exporter to change; another address is another exporter."""

    model_config = ConfigDict(extra="forbid")

    site: Name | None = None
    weight: Annotated[Weight, NOT_NULL] = 1
    draining: Annotated[bool, NOT_NULL] = False


class ExporterRead(BaseModel):
    """An exporter; one of `settings` stands in CHM_EXPORTERS and is not registered."""

    name: str
    address: str
    site: str | None
    weight: int
    draining: bool
    source: Literal["registered", "settings"]
    devices: int  # that it asks now
