"""Any inventory that the grammar lets in is the same after writing and reading, in every format."""

from ipaddress import IPv4Address
from typing import Any

from httpx import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from sqlalchemy import delete, update

from controlplane.devices.models import Device, DeviceParent, Site, Status
from controlplane.devices.schemas import RESERVED
from controlplane.grammar import LABEL_PATTERN, NAME_PATTERN, PRINTABLE_PATTERN, WORD_PATTERN
from controlplane.transfer import formats, tables
from controlplane.transfer.formats import Format
from tests.controlplane.conftest import Sessions
from tests.controlplane.transfer.test_transfer import put, state

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


def plain(length: int) -> SearchStrategy[str]:
    return matching(PRINTABLE_PATTERN).filter(lambda text: len(text) <= length)


LABELS = st.one_of(st.just(""), matching(LABEL_PATTERN))
ROWS: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "address": st.integers(0, 2**24 - 1).map(lambda n: str(IPv4Address("10.0.0.0") + n)),
        "port": st.integers(1, 65535),
        "vendor": LABELS,
        "description": plain(1000),
        "serial": plain(64),
        "asset_tag": plain(64),
        "profile": st.none() | matching(WORD_PATTERN),
        "modules": WORDS,
        "tags": WORDS,
        "status": st.sampled_from([status.value for status in Status]),
    }
)
PLAIN = plain(64) | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15)
VALUES: SearchStrategy[Any] = PLAIN | st.lists(PLAIN, max_size=2)
NAMED: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "name": matching(NAME_PATTERN),
        **dict.fromkeys(
            ("site", "role", "device_type", "platform", "poll_class", "tenant"),
            st.none() | matching(NAME_PATTERN),
        ),
        "contacts": NAMES,
        "credentials": NAMES,
        "parents": NAMES,
    }
)
DEVICES = st.lists(st.builds(lambda row, named: {**row, **named}, ROWS, NAMED), max_size=4)


@given(DEVICES)
def test_devices_are_the_same_in_every_format(devices: list[dict[str, Any]]) -> None:
    """What is written is what is read, whatever the names and labels look like."""
    for form in Format:
        read = formats.read(form, formats.write(form, {"sites": [], "devices": devices}))
        found = [{**row, "port": int(row["port"])} for row in read["devices"]]
        assert found == devices


@given(VALUES)
def test_a_value_of_a_custom_field_keeps_its_type(value: Any) -> None:
    """A text that looks like a number, a truth value or a list is a text when it is read."""
    row: dict[str, Any] = dict.fromkeys(tables.COLUMNS, "x") | {k: [] for k in tables.LISTS}
    (read,) = tables.read(tables.write([row | {"custom_fields": {"rack": value}}]))
    assert read["custom_fields"] == {"rack": value}
    assert type(read["custom_fields"]["rack"]) is type(value)


@given(TEXT)
def test_any_text_survives_a_table(text: str) -> None:
    """A cell comes back as it was, and never looks like a formula in between."""
    row: dict[str, Any] = dict.fromkeys(tables.COLUMNS, "x") | {k: [] for k in tables.LISTS}
    written = tables.write([row | {"description": text}])
    assert tables.read(written)[0]["description"] == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_description_survives(text: str) -> None:
    """Texts of people come back from JSON and YAML as they were."""
    document = {"sites": [{"name": "a", "description": text}], "devices": []}
    for form in (Format.JSON, Format.YAML):
        assert formats.read(form, formats.write(form, document)) == document


@st.composite
def inventories(draw: DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Make sites in a tree, and devices at them and behind each other."""
    names = st.lists(matching(NAME_PATTERN), max_size=4, unique=True)
    sites, places = [], draw(names)
    for index, name in enumerate(places):
        parent = draw(st.sampled_from([None, *places[:index]]))
        sites.append({"name": name, "parent": parent, "description": draw(plain(1000))})
    devices, known = [], [name for name in draw(names) if name not in RESERVED]
    for index, name in enumerate(known):
        row = draw(ROWS)
        behind = draw(st.sets(st.sampled_from(known[:index]))) if index else set()
        place = draw(st.sampled_from([None, *places]))
        devices.append({**row, "name": name, "site": place, "parents": sorted(behind)})
    return {"sites": sites, "devices": devices}


async def wipe(sessions: Sessions, *, sites: bool = True) -> None:
    async with sessions.begin() as session:
        await session.execute(delete(DeviceParent))
        await session.execute(delete(Device))
        if sites:
            await session.execute(update(Site).values(parent_id=None))
            await session.execute(delete(Site))


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(inventory=inventories())
async def test_export_wipe_and_import_is_the_same(
    client: AsyncClient, sessions: Sessions, inventory: dict[str, Any]
) -> None:
    """Whatever the inventory, it comes back from JSON and YAML, and its devices from CSV."""
    await wipe(sessions)
    response = await client.post("/api/v1/devices/import", json=inventory)
    assert response.status_code == 200, response.text
    before = await state(client)
    for form in Format:
        exported = (await client.get(f"/api/v1/devices/export?format={form}")).content.decode()
        await wipe(sessions, sites=form is not Format.CSV)
        again = await put(client, form, exported)
        assert again.status_code == 200, again.text
        assert await state(client) == before
