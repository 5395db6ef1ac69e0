"""Alerting rules that people write, over HTTP: kept, changed, put in force, and by whom."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlmodel import select

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.provisioning.alerting_rules.models import AlertingRule
from tests.controlplane.conftest import Login, Service, Sessions

RULES, SITES = "/api/v1/alerting-rules", "/api/v1/sites"
RULE = {
    "name": "UplinkNoisy",
    "expr": "rate(ifInErrors[5m]) > 10",
    "for_seconds": 300,
    "summary": "{{ $labels.device }} has a noisy uplink",
}


@pytest.fixture
async def sites(client: AsyncClient) -> dict[str, str]:
    """Make three sites, one below another; give their ids."""
    made = {}
    for site in ({"name": "north"}, {"name": "oslo", "parent": "north"}, {"name": "south"}):
        made[site["name"]] = (await client.post(SITES, json=site)).json()["id"]
    return made


async def add(client: AsyncClient, **changed: Any) -> dict[str, Any]:
    response = await client.post(RULES, json={**RULE, **changed})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


class TestKeeping:
    async def test_a_rule_begins_as_a_draft(self, client: AsyncClient) -> None:
        """It is as it was written, of who wrote it, and in force by nobody's doing yet."""
        made = await add(client)
        assert {name: made[name] for name in RULE} == RULE
        assert (made["status"], made["owner"], made["version"]) == ("draft", "admin", 1)
        shown = await client.get(f"{RULES}/UplinkNoisy")
        assert (shown.json(), shown.headers["etag"]) == (made, '"1"')

    async def test_a_change_is_of_the_version_that_was_seen(self, client: AsyncClient) -> None:
        """Of two writers the second learns of the first; what changes nothing counts as none."""
        await add(client)
        url, seen = f"{RULES}/UplinkNoisy", {"If-Match": '"1"'}
        same = await client.patch(url, json={"for_seconds": 300}, headers=seen)
        first = await client.patch(url, json={"expr": "up == 0"}, headers=seen)
        second = await client.patch(url, json={"expr": "up == 1"}, headers=seen)
        assert (same.json()["version"], first.json()["version"]) == (1, 2)
        assert (second.status_code, second.headers["etag"]) == (412, '"2"')
        assert (await client.delete(url, headers=seen)).status_code == 412
        assert (await client.delete(url)).status_code == 204
        assert (await client.get(url)).status_code == 404

    async def test_what_it_names_is_kept_beside_it(
        self, client: AsyncClient, sessions: Sessions
    ) -> None:
        """The matchers of the expression are those of the text that is there now."""

        async def matchers() -> list[dict[str, str]]:
            async with sessions() as session:
                return list((await session.scalars(select(AlertingRule.matchers))).one())

        await add(client, expr=r'up{device="a\x00b\"c"} == 0')
        assert await matchers() == [{"label": "device", "op": "=", "value": 'a\ufffdb"c'}]
        nested = """absent(up{job="x"}) or up{device=~'core.*',job="x"} == 0"""
        changed = await client.patch(f"{RULES}/UplinkNoisy", json={"expr": nested})
        assert changed.status_code == 200
        assert await matchers() == [
            {"label": "job", "op": "=", "value": "x"},
            {"label": "device", "op": "=~", "value": "core.*"},
        ]

    async def test_rules_are_listed_as_everything_is(self, client: AsyncClient) -> None:
        """Lookups, search, ordering, fields and cursors; what is unknown is refused."""
        await add(client)
        await add(client, name="FanLoud", severity="info", summary="A fan is loud")
        for query, names in (
            ("", ["FanLoud", "UplinkNoisy"]),
            ("?severity=info", ["FanLoud"]),
            ("?name__sw=Up", ["UplinkNoisy"]),
            ("?site__isnull=true&ordering=-name", ["UplinkNoisy", "FanLoud"]),
            ("?q=noisy", ["UplinkNoisy"]),
            ("?status=live", []),
            ("?cursor=&limit=1", ["FanLoud"]),
        ):
            page = (await client.get(f"{RULES}{query}")).json()
            assert [rule["name"] for rule in page["results"]] == names, query
        fields = (await client.get(f"{RULES}?fields=name&limit=1")).json()["results"]
        assert fields == [{"name": "FanLoud"}]
        assert (await client.get(f"{RULES}?colour=red")).status_code == 422

    async def test_what_is_done_is_told(self, client: AsyncClient) -> None:
        """Its history has every change, with the fields before and after."""
        await add(client)
        await client.patch(f"{RULES}/UplinkNoisy", json={"for_seconds": 60})
        page = (await client.get(f"{RULES}/UplinkNoisy/history")).json()
        assert [change["action"] for change in page["results"]] == ["data.update", "data.create"]
        assert page["results"][0]["fields"] == [
            {"field": "for_seconds", "before": 300, "after": 60}
        ]

    async def test_a_name_is_one_rule_and_none_of_ours(self, client: AsyncClient) -> None:
        """A second rule of a name is a conflict; what the product calls an alert is taken."""
        await add(client)
        assert (await client.post(RULES, json=RULE)).status_code == 409
        for name in ("DeviceDown", "AlertEscalated", "ChannelTest"):
            refused = await client.post(RULES, json={**RULE, "name": name})
            assert refused.status_code == 422
            assert [e["pointer"] for e in refused.json()["errors"]] == ["/name"]

    async def test_a_request_sent_again_is_done_once(self, client: AsyncClient) -> None:
        """Under one key the second answer is the first."""
        key = {"Idempotency-Key": "0f6c1d2e-33f1-4c59-9d3a-0f2f3d4c5b6a"}
        first = await client.post(RULES, json=RULE, headers=key)
        second = await client.post(RULES, json=RULE, headers=key)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()

    async def test_a_site_keeps_its_rules(self, client: AsyncClient, sites: dict[str, str]) -> None:
        """A site that a rule is about is not removed, and the answer says why."""
        await add(client, site="south")
        refused = await client.delete(f"{SITES}/south")
        assert sites
        assert (refused.status_code, "UplinkNoisy" in refused.json()["detail"]) == (409, True)


class TestChecking:
    async def test_a_mistake_has_its_place(self, client: AsyncClient) -> None:
        """The pointer leads to the expression, the words to the line and column in it."""
        refused = await client.post(f"{RULES}/check", json={**RULE, "expr": "up >\n  sum(("})
        (problem,) = refused.json()["errors"]
        assert (refused.status_code, problem["pointer"]) == (422, "/expr")
        assert problem["message"].startswith("line 2, column ")

    async def test_what_would_be_in_force(self, client: AsyncClient, sites: dict[str, str]) -> None:
        """A check keeps nothing, and shows the expression with what is added to it."""
        asked = {**RULE, "expr": "sum by (device) (up) < 1", "site": "north"}
        checked = (await client.post(f"{RULES}/check", json=asked)).json()
        assert sites
        assert 'up{site=~"north|oslo"}' in checked["expr"]
        assert "group_left (site, role, vendor)" in checked["expr"]
        assert checked["warnings"] == []
        assert (await client.get(RULES)).json()["count"] == 0

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", "Evil\n"),
            ("name", "lower"),
            ("name", "A: {b: c}"),
            ("summary", '{{ query "up" }}'),
            ("summary", "{{ .ExternalURL }}"),
            ("summary", "two\nlines"),
            ("summary", ""),
            ("description", "{{ $labels.device | reReplaceAll }}"),
            ("description", "{% raw %}"),
            ("expr", "up\x00 == 0"),
            ("expr", "up\u202e == 0"),
            ("for_seconds", -1),
            ("severity", "none"),
            ("runbook", "\x1b[2J"),
            ("colour", "red"),
        ],
    )
    async def test_hostile_text_is_refused(
        self, client: AsyncClient, field: str, value: object
    ) -> None:
        """What is no such name, line or template never comes near a rule file."""
        refused = await client.post(RULES, json={**RULE, field: value})
        assert refused.status_code == 422
        assert {e["pointer"] for e in refused.json()["errors"]} == {f"/{field}"}

    async def test_yaml_in_an_expression_is_text(self, client: AsyncClient) -> None:
        """What would be a second rule in YAML is no PromQL, and a comment is dropped."""
        evil = "up == 0\n- alert: Evil\n  expr: up"
        assert (await client.post(RULES, json={**RULE, "expr": evil})).status_code == 422
        noted = {**RULE, "expr": "up == 0 # - alert: Evil"}
        assert (await client.post(f"{RULES}/check", json=noted)).json()["expr"] == "up == 0"


class TestAccess:
    async def test_who_writes_does_not_deploy(self, client: AsyncClient, log_in: Login) -> None:
        """An operator keeps drafts; what is in force is for who holds `rules:deploy`."""
        operator = await log_in(Role.OPERATOR, name="operator")
        await add(operator)
        url = f"{RULES}/UplinkNoisy"
        assert (await operator.post(f"{url}/enable")).status_code == 403
        live = await client.post(f"{url}/enable")
        assert (live.json()["status"], live.json()["version"]) == ("live", 2)
        assert (await operator.patch(url, json={"expr": "up == 0"})).status_code == 403
        assert (await operator.delete(url)).status_code == 403
        assert (await operator.post(f"{url}/disable")).status_code == 403
        assert (await client.post(f"{url}/disable")).json()["status"] == "draft"
        assert (await operator.delete(url)).status_code == 204

    async def test_who_is_of_a_site_writes_within_it(
        self, log_in: Login, sites: dict[str, str]
    ) -> None:
        """A rule of theirs names a site of theirs; everywhere and elsewhere is refused."""
        north = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, sites["north"]), name="norman")
        assert (await north.post(RULES, json=RULE)).status_code == 403
        elsewhere = await north.post(RULES, json={**RULE, "site": "south"})
        nowhere = await north.post(RULES, json={**RULE, "site": "atlantis"})
        assert (elsewhere.status_code, nowhere.status_code) == (422, 422)
        assert elsewhere.json()["detail"].replace("south", "atlantis") == nowhere.json()["detail"]
        made = await add(north, site="oslo", expr='sum(up{site="south"}) > 0')
        assert made["site"] == "oslo"

    async def test_rules_of_others_are_not_there(
        self, client: AsyncClient, log_in: Login, sites: dict[str, str]
    ) -> None:
        """Whoever sees one site sees its rules: no list, count, page or history has others."""
        await add(client)
        await add(client, name="SouthOnly", site="south")
        await add(client, name="OsloOnly", site="oslo")
        north = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, sites["north"]), name="norman")
        page = (await north.get(RULES)).json()
        assert ([rule["name"] for rule in page["results"]], page["count"]) == (["OsloOnly"], 1)
        for url in ("/SouthOnly", "/UplinkNoisy", "/SouthOnly/history"):
            assert (await north.get(RULES + url)).status_code == 404
        for verb in ("patch", "delete"):
            body: dict[str, Any] = {"json": {}} if verb == "patch" else {}
            assert (await getattr(north, verb)(f"{RULES}/SouthOnly", **body)).status_code == 404

    async def test_deploying_is_a_right_of_its_own(
        self, client: AsyncClient, service: Service
    ) -> None:
        """Who may only deploy puts in force what they see, and writes nothing."""
        await add(client)
        deployer = await service(Permission.RULES_DEPLOY)
        assert (await deployer.post(f"{RULES}/UplinkNoisy/enable")).status_code == 200
        assert (await deployer.patch(f"{RULES}/UplinkNoisy", json={})).status_code == 403
