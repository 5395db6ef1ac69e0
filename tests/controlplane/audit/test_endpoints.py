"""Reading the audit log, and taking it along."""

import csv
import io
import json
from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind, Outcome, Who
from tests.controlplane.conftest import Sessions

URL = "/api/v1/audit"
EVIL = '=HYPERLINK("http://evil.test";"x")'


@pytest.fixture
async def log(sessions: Sessions) -> None:
    """Write three entries."""
    ada, bob = Who(Kind.USER, "1", "ada", "192.0.2.1", "r1"), Who(Kind.SERVICE, "2", "bob")
    async with sessions.begin() as session:
        await audit.record(session, Action.CREATE, who=ada, object_type="device", object_name="a")
        await audit.record(session, Action.DELETE, who=bob, object_type="site", object_name=EVIL)
        await audit.record(session, Action.LOGIN_FAILURE, who=ada, outcome=Outcome.FAILURE)


@pytest.mark.usefixtures("log")
class TestList:
    async def _seqs(self, client: AsyncClient, query: str) -> list[int]:
        response = await client.get(f"{URL}?{query}")
        assert response.status_code == 200, response.text
        return [entry["seq"] for entry in response.json()["results"]]

    @pytest.mark.parametrize(
        ("query", "seqs"),
        [
            ("", [3, 2, 1]),
            ("ordering=seq&limit=2", [1, 2]),
            ("actor=ada", [3, 1]),
            ("actor_kind=service", [2]),
            ("action=data.create", [1]),
            ("outcome=failure", [3]),
            ("object_type=site", [2]),
            ("object_name=a", [1]),
            ("request_id=r1&action=data.create", [1]),
            ("address=192.0.2.1", [3, 1]),
            ("since=2100-01-01T00:00:00Z", []),
            ("until=2100-01-01T00:00:00Z", [3, 2, 1]),
        ],
    )
    async def test_filters(self, client: AsyncClient, query: str, seqs: list[int]) -> None:
        """Entries are found by who, what, when and where; the newest comes first."""
        assert await self._seqs(client, query) == seqs

    @pytest.mark.parametrize("query", ["action=x", "since=yesterday", "who=ada", "ordering=mac"])
    async def test_what_means_nothing_is_refused(self, client: AsyncClient, query: str) -> None:
        """A misspelt filter does not mean everything."""
        assert (await client.get(f"{URL}?{query}")).status_code == 422


@pytest.mark.usefixtures("log")
class TestExport:
    async def test_lines_of_json(self, client: AsyncClient) -> None:
        """Each line is an entry, in the order in which they were written."""
        response = await client.get(f"{URL}/export?actor=ada")
        entries: list[dict[str, Any]] = [json.loads(line) for line in response.text.splitlines()]
        assert [entry["seq"] for entry in entries] == [1, 3]
        assert response.headers["content-disposition"] == 'attachment; filename="audit.jsonl"'

    async def test_csv_holds_no_formula(self, client: AsyncClient) -> None:
        """A name that a spreadsheet would compute is text in the file."""
        response = await client.get(f"{URL}/export?format=csv&object_type=site")
        (row,) = csv.DictReader(io.StringIO(response.text))
        assert row["object_name"] == f"'{EVIL}"
        assert row["actor_name"] == "bob"
        assert response.headers["content-type"] == "text/csv; charset=utf-8"

    async def test_it_is_recorded_itself(self, client: AsyncClient) -> None:
        """Who took the log along, and what of it, is in the log."""
        await client.get(f"{URL}/export?format=csv")
        newest = (await client.get(f"{URL}?limit=1")).json()["results"][0]
        assert newest["action"] == "compliance.audit.exported"
        assert newest["actor_name"] == "admin"
        assert newest["after"] == {"format": "csv"}
