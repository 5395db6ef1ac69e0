"""Imports and exports on the wire."""

from enum import StrEnum

from pydantic import BaseModel, Field

from controlplane.devices.schemas import DeviceFilters, ImportResult
from controlplane.transfer.formats import Format


class Mode(StrEnum):
    """What may become of rows."""

    CREATE = "create"  # none of them is there yet
    UPDATE = "update"  # all of them are there
    UPSERT = "upsert"


class ImportQuery(BaseModel):
    """How to import; with `dry_run` nothing is kept, and what is wrong is told, not refused."""

    mode: Mode = Mode.UPSERT
    dry_run: bool = False


class ExportQuery(DeviceFilters):
    """Which devices to export, and how they are written."""

    format: Format = Format.JSON


class RowError(BaseModel):
    """What is wrong: in which list, in which row of it (the first is 1), in which field."""

    noun: str
    row: int | None
    field: str
    code: str
    message: str


class ImportReport(ImportResult):
    """What an import did, or would do; it does nothing while there are errors."""

    dry_run: bool = False
    errors: list[RowError] = Field(default_factory=list)
