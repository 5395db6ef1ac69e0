"""What operators say of interfaces, exported and imported in every format."""

import csv
import io
from typing import Any

import pytest
from httpx import AsyncClient, Response

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from tests.controlplane.conftest import Login, Service, Sessions
from tests.controlplane.devices.interfaces.telling import learn, port

URL, EXPORT = "/api/v1/interfaces", "/api/v1/interfaces/export"
IMPORT = "/api/v1/devices/import"
FORMATS = ("json", "yaml", "csv")
HOSTILE = "=cmd|'/C calc'!A0, \"x\" \U0001f600"
SAID = {
    "Gi1/0/1": {"description": HOSTILE, "importance": "critical", "monitored": "yes"},
    "=Gi1/0/2": {"description": "'quoted", "monitored": "no"},
    " Gi1/0/3 ": {"description": "", "importance": "low"},
}
NOTHING = {"description": "", "importance": "normal", "monitored": "auto"}
SHOWN = ("device", "name", *NOTHING)
MANY = 10_000
FEW = 30  # statements, whatever the number of rows


async def put(client: AsyncClient, form: str, content: str, query: str = "") -> Response:
    url = f"{IMPORT}/{form}?kind=interfaces{query}"
    return await client.post(url, content=content.encode())


async def state(client: AsyncClient) -> list[dict[str, Any]]:
    page = (await client.get(f"{URL}?limit=1000")).json()
    return [{name: row[name] for name in SHOWN} for row in page["results"]]


async def say(client: AsyncClient, fields: dict[str, dict[str, str]]) -> None:
    rows = [{"device": "sw1", "name": name, **said} for name, said in fields.items()]
    response = await client.patch(URL, json=rows)
    assert response.status_code == 200, response.text


def told(response: Response) -> list[tuple[int, str, str]]:
    return [(e["row"], e["field"], e["code"]) for e in response.json()["errors"]]


@pytest.fixture
async def ports(client: AsyncClient, sessions: Sessions) -> AsyncClient:
    """Give a client of two switches in two places, of whose ports something was said."""
    for site, switch in (("north", "sw1"), ("south", "sw2")):
        await client.post("/api/v1/sites", json={"name": site})
        device = {"name": switch, "address": "10.0.0.1", "site": site}
        assert (await client.post("/api/v1/devices", json=device)).status_code == 201
    await learn(sessions, *(port("sw1", name, n) for n, name in enumerate((*SAID, "Te1/1/1"), 1)))
    await learn(sessions, port("sw2", "Gi1/0/1"), whole=("sw2",))
    await say(client, SAID)
    return client


@pytest.mark.parametrize("form", FORMATS)
async def test_what_is_exported_imports_again(ports: AsyncClient, form: str) -> None:
    """Export, take back all that was said, import: as before; import again: nothing changes."""
    before = await state(ports)
    exported = (await ports.get(f"{EXPORT}?format={form}")).text
    await say(ports, dict.fromkeys(SAID, NOTHING))
    assert await state(ports) != before
    again = await put(ports, form, exported)
    assert again.status_code == 200, again.text
    assert again.json()["interfaces"] == {"created": 0, "updated": 3, "unchanged": 2}
    assert await state(ports) == before
    unchanged = (await put(ports, form, exported)).json()["interfaces"]
    assert unchanged == {"created": 0, "updated": 0, "unchanged": 5}


async def test_no_cell_is_a_formula(ports: AsyncClient) -> None:
    """Neither what people write nor what a device calls its port is one in a spreadsheet."""
    table = (await ports.get(f"{EXPORT}?format=csv")).text
    lines = list(csv.reader(io.StringIO(table, newline="")))
    assert lines[0] == list(SHOWN)
    assert "'=Gi1/0/2" in {line[1] for line in lines}
    assert not [cell for line in lines for cell in line if cell[:1] in tuple("=+-@\t\r")]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("device=sw2", ["Gi1/0/1"]),
        ("site=north&monitored__n=auto", ["=Gi1/0/2", "Gi1/0/1"]),
        ("importance=critical", ["Gi1/0/1"]),
        ("q=te1", ["Te1/1/1"]),
    ],
)
async def test_filters(ports: AsyncClient, query: str, names: list[str]) -> None:
    """An export is of what the list of the same filters is of."""
    exported = (await ports.get(f"{EXPORT}?{query}")).json()
    assert [row["name"] for row in exported["interfaces"]] == names
    assert (await ports.get(f"{EXPORT}?colour=red")).status_code == 422


async def test_every_error_of_every_row(ports: AsyncClient) -> None:
    """What the grammar refuses, what is not there and what stands twice is told together."""
    table = (
        "device,name,importance,monitored\n"
        "sw1,Gi1/0/1,loud,never\n"
        "sw1,Gi9,,no\n"
        "sw9,Gi1/0/1,,no\n"
        "sw1,Te1/1/1,,no\n"
        "sw1,Te1/1/1,low,\n"
    )
    before = await state(ports)
    trial = await put(ports, "csv", table, "&dry_run=true")
    assert trial.status_code == 200, trial.text
    assert sorted(told(trial)) == [
        *((1, "importance", "enum"), (1, "monitored", "enum")),
        *((2, "name", "unknown"), (3, "name", "unknown"), (5, "name", "twice")),
    ]
    refused = await put(ports, "csv", table)
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} >= {"/interfaces/1/name"}
    assert await state(ports) == before


async def test_errors_of_all_lists(ports: AsyncClient) -> None:
    """What is wrong with interfaces is told with what is wrong with places and with values."""
    document = {
        "sites": [{"name": "cellar", "kind": "location"}],
        "devices": [{"name": "sw1", "address": "10.0.0.1", "custom_fields": {"rack": "B12"}}],
        "interfaces": [{"device": "sw1", "name": "Gi1/0/1"}, {"device": "sw1", "name": "Gi9"}],
    }
    refused = await ports.post(f"{IMPORT}/json", json=document)
    assert refused.status_code == 422
    assert {(error["pointer"], error["code"]) for error in refused.json()["errors"]} == {
        ("/sites/0/parent", "misplaced"),
        ("/devices/0/custom_fields/rack", "unknown"),
        ("/interfaces/1/name", "unknown"),
    }


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("device,name,alias\nsw1,Gi1/0/1,mine\n", "unknown_column"),
        ("device,name,cf.rack\nsw1,Gi1/0/1,B12\n", "unknown_column"),
        ("name,monitored\nGi1/0/1,no\n", "missing"),
    ],
)
async def test_columns(ports: AsyncClient, table: str, code: str) -> None:
    """What a device tells is not for people to import, and a row says whose interface it is."""
    response = await put(ports, "csv", table)
    assert [error["code"] for error in response.json()["errors"]] == [code]


async def test_a_trial_tells_what_would_change(ports: AsyncClient) -> None:
    """On trial nothing is kept; what is left empty or out stays as it is."""
    table = "device,name,monitored\nsw1,Gi1/0/1,no\nsw1,Te1/1/1,\n"
    report = (await put(ports, "csv", table, "&dry_run=true")).json()
    assert report["interfaces"] == {"created": 0, "updated": 1, "unchanged": 1}
    before = await state(ports)
    assert {"device": "sw1", "name": "Gi1/0/1", **SAID["Gi1/0/1"]} in before
    assert (await put(ports, "csv", table)).status_code == 200
    changed = {"device": "sw1", "name": "Gi1/0/1", **SAID["Gi1/0/1"], "monitored": "no"}
    after = await state(ports)
    assert changed in after
    assert [row for row in after if row not in before] == [changed]


@pytest.mark.parametrize(("mode", "status"), [("create", 422), ("update", 200)])
async def test_modes(ports: AsyncClient, mode: str, status: int) -> None:
    """An interface is added by its device alone."""
    table = "device,name,monitored\nsw1,Gi1/0/1,no\n"
    assert (await put(ports, "csv", table, f"&mode={mode}")).status_code == status


async def test_what_is_imported_has_a_history(ports: AsyncClient) -> None:
    """Each interface tells of its change, and the log of the import."""
    await put(ports, "csv", "device,name,monitored\nsw1,Gi1/0/1,no\n")
    (row,) = (await ports.get(f"{URL}?device=sw1&name=Gi1/0/1")).json()["results"]
    history = (await ports.get(f"{URL}/{row['id']}/history")).json()["results"]
    assert [field["field"] for field in history[0]["fields"]] == ["monitored"]
    log = (await ports.get("/api/v1/audit?action=data.import")).json()["results"]
    assert log[0]["after"]["interfaces"]["updated"] == 1


@pytest.mark.parametrize("form", FORMATS)
async def test_a_template_is_an_import(client: AsyncClient, form: str) -> None:
    """The template of a table of interfaces has its columns, and imports as it is."""
    template = await client.get(f"{IMPORT}/template?format={form}&kind=interfaces")
    assert [name for name in SHOWN if form == "csv" and name not in template.text] == []
    assert (await put(client, form, template.text)).status_code == 200


class TestScope:
    @pytest.fixture
    async def northerner(self, ports: AsyncClient, log_in: Login) -> AsyncClient:
        """Give an operator of the north."""
        site = (await ports.get("/api/v1/sites/north")).json()["id"]
        return await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site), name="northerner")

    async def test_an_export_is_of_what_is_seen(self, northerner: AsyncClient) -> None:
        """Nobody exports what they do not see."""
        for form in FORMATS:
            text = (await northerner.get(f"{EXPORT}?format={form}")).text
            assert "Te1/1/1" in text
            assert "sw2" not in text

    async def test_what_is_out_of_reach_is_not_there(self, northerner: AsyncClient) -> None:
        """A device elsewhere and one that is nowhere are told in the same words."""
        table = "device,name,monitored\nsw2,Gi1/0/1,no\nsw9,Gi1/0/1,no\nsw1,Te1/1/1,no\n"
        response = await put(northerner, "csv", table)
        assert response.status_code == 422
        elsewhere, nowhere = response.json()["errors"]
        assert elsewhere["message"].replace("sw2", "sw9") == nowhere["message"]
        assert elsewhere["code"] == nowhere["code"] == "unknown"

    async def test_who_only_reads(self, ports: AsyncClient, northerner: AsyncClient) -> None:
        """What somebody sees and may not change is refused as an error of its row."""
        given = await ports.post("/api/v1/users/northerner/grants", json={"role": "viewer"})
        assert given.status_code == 201, given.text
        table = "device,name,monitored\nsw1,Gi1/0/1,no\nsw2,Gi1/0/1,no\n"
        response = await put(northerner, "csv", table, "&dry_run=true")
        assert told(response) == [(2, "name", "forbidden")]

    async def test_the_permission_to_write(self, service: Service) -> None:
        """Who reads devices exports; who does not write them imports nothing."""
        reader = await service(Permission.DEVICES_READ)
        assert (await reader.get(EXPORT)).status_code == 200
        assert (await put(reader, "csv", "device,name\n")).status_code == 403


async def test_ten_thousand(client: AsyncClient, sessions: Sessions, statements: list[str]) -> None:
    """Ten thousand interfaces are imported in a few statements."""
    await client.post("/api/v1/devices", json={"name": "sw1", "address": "10.0.0.1"})
    await learn(sessions, *(port("sw1", f"Gi{n}", n) for n in range(1, MANY + 1)))
    rows = "".join(f"sw1,Gi{n},desk {n},no\n" for n in range(1, MANY + 1))
    statements.clear()
    response = await put(
        client, "csv", f"device,name,description,monitored\n{rows}", "&async=false"
    )
    assert response.status_code == 200, response.text
    assert response.json()["interfaces"]["updated"] == MANY
    assert len(statements) < FEW
