"""Any inventory that the grammar lets in is the same after writing and reading, in every format."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from controlplane.grammar import LABEL_PATTERN, NAME_PATTERN, WORD_PATTERN
from controlplane.transfer import formats, tables
from controlplane.transfer.formats import Format

HOSTILE = (
    "=cmd|'/C calc'!A0",
    "+1",
    "-1",
    "@a",
    "'",
    "'=x",
    "\t=1",
    "\r",
    'a "b",\nc',
    "\U0001f600",
)
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"])))


def matching(pattern: str) -> SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


WORDS = st.lists(matching(WORD_PATTERN), max_size=3, unique=True)
NAMES = st.lists(matching(NAME_PATTERN), max_size=3, unique=True)
LABELS = st.one_of(st.just(""), matching(LABEL_PATTERN))
DEVICES: SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.fixed_dictionaries(
        {
            "name": matching(NAME_PATTERN),
            "address": st.ip_addresses().map(str),
            "port": st.integers(1, 65535),
            "site": st.none() | matching(NAME_PATTERN),
            "role": LABELS,
            "vendor": LABELS,
            "profile": st.none() | matching(WORD_PATTERN),
            "modules": WORDS,
            "tags": WORDS,
            "credentials": NAMES,
            "parents": NAMES,
            "status": st.sampled_from(["active", "planned"]),
        }
    ),
    max_size=4,
)


@given(DEVICES)
def test_devices_are_the_same_in_every_format(devices: list[dict[str, Any]]) -> None:
    """What is written is what is read, whatever the names and labels look like."""
    for form in Format:
        read = formats.read(form, formats.write(form, {"sites": [], "devices": devices}))
        found = [{**row, "port": int(row["port"])} for row in read["devices"]]
        assert found == devices


@given(TEXT)
def test_any_text_survives_a_table(text: str) -> None:
    """A cell comes back as it was, and never looks like a formula in between."""
    row: dict[str, Any] = dict.fromkeys(tables.COLUMNS, "x") | {k: [] for k in tables.LISTS}
    written = tables.write([row | {"role": text}])
    assert tables.read(written)[0]["role"] == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_description_survives(text: str) -> None:
    """Texts of people come back from JSON and YAML as they were."""
    document = {"sites": [{"name": "a", "description": text}], "devices": []}
    for form in (Format.JSON, Format.YAML):
        assert formats.read(form, formats.write(form, document)) == document
