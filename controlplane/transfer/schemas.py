"""Imports and exports on the wire."""

from enum import StrEnum

from pydantic import BaseModel, Field

from controlplane.devices.interfaces.schemas import InterfaceFilters
from controlplane.devices.schemas import DeviceFilters, ImportResult
from controlplane.transfer.formats import Format
from controlplane.transfer.tables import Kind


class Mode(StrEnum):
    """What may become of rows."""

    CREATE = "create"  # none of them is there yet
    UPDATE = "update"  # all of them are there
    UPSERT = "upsert"


class ImportQuery(BaseModel):
    """How to import; with `dry_run` nothing is kept, and what is wrong is told, not refused.

    `kind` is that of the rows of a CSV; other documents say it themselves.
    """

    mode: Mode = Mode.UPSERT
    kind: Kind = Kind.DEVICES
    dry_run: bool = False
    secrets: bool = False  # whether those of another system's export become credentials


class ImportRequest(ImportQuery):
    """How to import over HTTP: with `async` as a job; what is large is one unless it is false."""

    as_job: bool | None = Field(default=None, alias="async")


class TemplateQuery(BaseModel):
    """How the template is written, and of which rows, where it is a CSV."""

    format: Format = Format.CSV
    kind: Kind = Kind.DEVICES


class ExportQuery(DeviceFilters):
    """Which devices to export, and how they are written."""

    format: Format = Format.JSON


class InterfaceExportQuery(InterfaceFilters):
    """Which interfaces to export, and how they are written."""

    format: Format = Format.JSON


class RowError(BaseModel):
    """What is wrong: in which list, in which row of it (the first is 1), in which field."""

    noun: str
    row: int | None
    field: str
    code: str
    message: str


class LeftOut(BaseModel):
    """What of another system's export is not taken over: where, why, and of how many objects."""

    place: str
    reason: str
    objects: int


class ImportReport(ImportResult):
    """What an import did, or would do; it does nothing while there are errors."""

    dry_run: bool = False
    errors: list[RowError] = Field(default_factory=list)
    left_out: list[LeftOut] = Field(default_factory=list)
