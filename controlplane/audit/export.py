"""The audit log as a file: CSV for spreadsheets, or JSON with one entry a line."""

import csv
import io
import json
from collections.abc import AsyncIterator

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit.models import AuditEntry
from controlplane.audit.schemas import AuditRead, Format

MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/jsonl"}
STEP = 500  # entries held in memory at a time
# What a spreadsheet takes for the beginning of a formula (OWASP ASVS 5.0, 1.2.10).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\N{FULLWIDTH EQUALS SIGN}")


async def stream(
    session: AsyncSession, statement: Select[tuple[AuditEntry]], form: Format
) -> AsyncIterator[str]:
    """Give the entries of a statement, piece by piece, in the wanted format."""
    if form is Format.CSV:
        yield _csv(list(AuditRead.model_fields))
    entries = await session.stream_scalars(statement.execution_options(yield_per=STEP))
    async for entry in entries:
        yield line(AuditRead.model_validate(entry), form)


def line(entry: AuditRead, form: Format) -> str:
    """Write an entry as one record (RFC 4180) or one line of JSON."""
    if form is Format.JSONL:
        return entry.model_dump_json() + "\n"
    return _csv([_cell(value) for value in entry.model_dump(mode="json").values()])


def _cell(value: object) -> str:
    """Write a value so that no spreadsheet takes it for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(FORMULA) else text


def _csv(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
