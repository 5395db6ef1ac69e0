"""Devices as CSV."""

import csv
import io
from typing import Any

import pytest

from controlplane.errors import Invalid
from controlplane.transfer import tables

HOSTILE = (
    *("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'", "'=1", "''=1", "'a"),
    *('a "quoted", one', "two\nlines", "two\r\nlines", "\U0001f600 ﬁ", "=\U0001f600", ";", " "),
)
EMPTY: dict[str, Any] = dict.fromkeys(tables.COLUMNS, "x") | {key: [] for key in tables.LISTS}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back(text: str) -> None:
    """Whatever a cell says, it is the same after writing and reading."""
    written = tables.write([EMPTY | {"description": text}])
    assert tables.read(written)[0]["description"] == text


@pytest.mark.parametrize("text", [text for text in HOSTILE if text[0] in "=+-@\t\r"])
def test_no_cell_is_a_formula(text: str) -> None:
    """A spreadsheet finds no cell that begins as a formula does."""
    written = tables.write([EMPTY | {"description": text, "tags": [text]}])
    cells = [cell for line in csv.reader(io.StringIO(written, newline="")) for cell in line]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name,adress\na,10.0.0.1\n", "unknown_column"),
        ("name,name\na,b\n", "twice"),
        ("name,address\na\n", "shape"),
    ],
)
def test_what_is_no_table_of_devices(text: str, code: str) -> None:
    """A misspelt column, one that stands twice and a row of another length are refused."""
    with pytest.raises(Invalid) as refused:
        tables.read(text)
    assert [problem.code for problem in refused.value.problems] == [code]


def test_what_spreadsheets_do() -> None:
    """A mark of the byte order, empty lines and empty cells mean nothing."""
    (row,) = tables.read("\ufeffname,site,port,tags\r\na,,,\r\n\r\n")
    assert row == {"name": "a", "site": None, "tags": []}


@pytest.mark.parametrize("text", ["", 'name\n"a'])
def test_what_is_no_csv(text: str) -> None:
    """Nothing at all, and a quote that does not end, are no table."""
    with pytest.raises(Invalid):
        tables.read(text)
