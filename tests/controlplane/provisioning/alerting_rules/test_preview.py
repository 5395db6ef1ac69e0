"""What a rule costs and would have done, over HTTP, on samples of a real Prometheus."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.clients import prometheus as clients
from controlplane.clients.prometheus import Answer, Prometheus, Series
from controlplane.database import now
from controlplane.jobs.runner import Runner
from controlplane.provisioning.alerting_rules import cost, expression, previewing, work
from controlplane.settings import Settings
from rules.intent import INVENTORY as INTENT
from tests.controlplane.conftest import Login, Service, Sessions
from tests.controlplane.provisioning.alerting_rules.backfill import with_samples
from tests.controlplane.provisioning.alerting_rules.test_rules import RULES, add

STEP = 15  # seconds, as the settings of the tests have it
HOUR = 240  # steps
INVENTORY: dict[str, list[dict[str, str]]] = {
    "sites": [{"name": "north"}, {"name": "oslo", "parent": "north"}, {"name": "south"}],
    "devices": [
        {"name": "core1", "address": "10.0.0.1", "site": "oslo"},
        {"name": "core2", "address": "10.0.0.2", "site": "oslo"},
        {"name": "edge1", "address": "10.0.0.3", "site": "south"},
    ],
}
RULE = {
    "name": "TempOdd",
    "expr": "temp > 50",
    "for_seconds": 60,
    "summary": "{{ $labels.device }} is odd",
}


def points(*loud: range) -> list[tuple[float, float]]:
    """Make an hour of samples that ended some minutes ago, above 50 in these steps."""
    begin = (now().timestamp() - 2 * 3600) // STEP * STEP
    return [
        (begin + step * STEP, 60.0 if any(step in part for part in loud) else 20.0)
        for step in range(HOUR)
    ]


@pytest.fixture
async def prometheus(app: FastAPI, tmp_path: Path) -> AsyncIterator[Prometheus]:
    """Have the application ask a Prometheus with an hour of three devices, and one that left."""
    past = {
        'temp{device="core1",site="oslo"}': points(range(10, 30), range(100, 120)),
        'temp{device="core2",site="oslo"}': points(range(40, 42)),  # shorter than `for`
        'temp{device="edge1",site="south"}': points(range(200, 220)),
        'temp{device="left1",site="south"}': points(range(10, 20)),
        **{
            f'{INTENT}{{device="{device["name"]}",site="{device["site"]}"}}': points()
            for device in INVENTORY["devices"]
        },
    }
    server = with_samples(tmp_path, past)
    async with server.running(), Prometheus.at(server.url) as client:
        app.state.prometheus = client
        yield client


@pytest.fixture
async def north(client: AsyncClient) -> Scope:
    """Make an inventory of two sites; give the scope of one with what lies below it."""
    assert (await client.post("/api/v1/devices/import", json=INVENTORY)).status_code == 200
    site = (await client.get("/api/v1/sites/north")).json()["id"]
    return Scope(ScopeKind.SITE, site)


async def test_a_short_past_is_told(app: FastAPI, client: AsyncClient, tmp_path: Path) -> None:
    """A Prometheus that has known samples for three hours says nothing of seven days."""
    end = now().timestamp()
    oldest = [(end - 60 * ago, end - 3.5 * 3600) for ago in range(30, -1, -1)]
    server = with_samples(tmp_path, {"prometheus_tsdb_lowest_timestamp_seconds{}": oldest})
    async with server.running(), Prometheus.at(server.url) as asked:
        app.state.prometheus = asked
        told = (await client.post(f"{RULES}/preview?days=7", json=RULE)).json()
    assert told["words"] == (
        "would have fired never in 7 days; but there are samples of the last 3 hours alone"
    )


class Watched(Prometheus):
    """A client that remembers how many points its largest answer had."""

    points = 0

    async def query_range(self, *asked: Any) -> tuple[Series, ...]:
        """Ask as ever."""
        found = await super().query_range(*asked)
        self.points = max(self.points, sum(len(one.points) for one in found))
        return found


async def test_what_finds_everything_is_told_of_in_numbers(
    app: FastAPI, client: AsyncClient, tmp_path: Path
) -> None:
    """More series than a rule may have are counted where they are: no answer holds them."""
    hour = [(at + 1, value) for at, value in points()]  # seen from the next step on
    many = {f'temp{{device="d{number}",site="oslo"}}': hour[:8] for number in range(5_001)}
    calm = {'temp{device="core1",site="oslo"}': hour}
    server = with_samples(tmp_path, many | calm)
    async with server.running(), Watched.at(server.url) as asked:
        app.state.prometheus = asked
        rule = {**RULE, "expr": "temp > 0"}
        response = await client.post(f"{RULES}/preview?days=1", json=rule)
    assert response.status_code == 200, response.text
    told = response.json()
    # The last sample of eight is seen for five minutes, 20 steps.
    assert told["over_limit"] == 7 + 20
    assert [(d["device"], d["fired"]) for d in told["devices"]] == [("core1", 1)]
    assert told["devices"][0]["firing_seconds"] == (HOUR - 8 - 60 // STEP) * STEP
    assert 0 < asked.points <= 1000


@pytest.mark.usefixtures("prometheus", "north")
class TestPreview:
    async def test_it_tells_when_and_for_whom(self, client: AsyncClient) -> None:
        """Twice for one device and once for two others, for as long as it was so after `for`."""
        told = (await client.post(f"{RULES}/preview?days=1", json=RULE)).json()
        assert told["words"] == "would have fired 4 times in 1 day, for 3 devices"
        assert (told["fired"], told["device_count"], told["over_limit"]) == (4, 3, 0)
        assert [(d["device"], d["fired"]) for d in told["devices"]] == [
            ("core1", 2),
            ("edge1", 1),
            ("left1", 1),
        ]
        # 20 steps of 15 seconds each, of which the first minute is pending.
        assert told["devices"][0]["firing_seconds"] == 2 * (20 * STEP - 60)
        assert told["first"] < told["last"]
        assert told["evaluations"] == 24 * 240 + 1

    async def test_a_stored_rule_is_looked_back_with(self, client: AsyncClient) -> None:
        """The same of a draft, which stays as it is."""
        await add(client, **RULE)
        told = (await client.post(f"{RULES}/TempOdd/preview?days=1")).json()
        assert told["fired"] == 4
        assert (await client.get(f"{RULES}/TempOdd")).json()["version"] == 1

    async def test_labels_of_the_inventory(self, client: AsyncClient) -> None:
        """A rule that is joined with the inventory fires for what was in it then, as in force."""
        joined = {**RULE, "expr": "max by (device) (temp) > 50"}
        told = (await client.post(f"{RULES}/preview?days=1", json=joined)).json()
        assert [(d["device"], d["fired"]) for d in told["devices"]] == [("core1", 2), ("edge1", 1)]

    async def test_a_series_without_a_device(self, client: AsyncClient) -> None:
        """It counts, for no device; the warning says so."""
        loud = {**RULE, "expr": "count(temp > 50) > 1", "for_seconds": 0}
        told = (await client.post(f"{RULES}/preview?days=1", json=loud)).json()
        assert [(d["device"], d["fired"]) for d in told["devices"]] == [(None, 1)]
        assert told["device_count"] == 0
        assert told["warnings"] == [expression.NO_DEVICE]

    async def test_others_are_not_told_of(
        self, log_in: Login, north: Scope, client: AsyncClient
    ) -> None:
        """Whoever is of a site hears of its devices, whatever the expression asks for."""
        norman = await log_in(Role.OPERATOR, north, name="norman")
        assert client
        for expr, fired in (
            ("temp > 50", 2),
            ('temp{site="south"} > 50', 0),
            ('temp{device="edge1"} > 50', 0),
            ('temp > 50 or on () temp{site="south"} > 50', 2),
            ('count(temp{site=~".*"} > 50) > 1', 0),
            ('absent(temp{device="edge1"})', 0),
        ):
            asked = {**RULE, "expr": expr, "site": "north"}
            response = await norman.post(f"{RULES}/preview?days=1", json=asked)
            assert response.status_code == 200, response.text
            told = response.json()
            assert told["fired"] == fired, expr
            assert "left1" not in response.text
            assert "edge1" not in [device["device"] for device in told["devices"]]
        assert (await norman.post(f"{RULES}/preview", json=RULE)).status_code == 403

    async def test_the_past_of_whoever_had_the_name(
        self, log_in: Login, north: Scope, client: AsyncClient
    ) -> None:
        """Whoever sees a device hears nothing of the one that had its name in these days."""
        norman = await log_in(Role.OPERATOR, north, name="norman")
        asked = {**RULE, "expr": "temp > 50", "site": "north"}
        told = (await norman.post(f"{RULES}/preview?days=1", json=asked)).json()
        assert [device["device"] for device in told["devices"]] == ["core1"]
        renamed = await client.patch("/api/v1/devices/core1", json={"name": "core9"})
        assert renamed.status_code == 200, renamed.text
        taken = {"name": "core1", "address": "10.0.0.9", "site": "north"}
        assert (await client.post("/api/v1/devices", json=taken)).status_code == 201
        told = (await norman.post(f"{RULES}/preview?days=1", json=asked)).json()
        assert (told["fired"], told["devices"]) == (0, [])

    async def test_who_sees_no_devices_hears_of_none(self, service: Service) -> None:
        """Writing rules alone is no way to look at what is measured."""
        writer = await service(Permission.RULES_WRITE)
        assert (await writer.post(f"{RULES}/preview", json=RULE)).status_code == 403

    async def test_too_many_at_once(
        self, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where all places are taken, the answer says when to come back."""
        monkeypatch.setattr(previewing, "PLACES", 0)
        busy = await client.post(f"{RULES}/preview?days=1", json=RULE)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "10")

    async def test_what_takes_long_is_a_job(
        self,
        client: AsyncClient,
        app: FastAPI,
        sessions: Sessions,
        *,
        settings: Settings,
        prometheus: Prometheus,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It is accepted, done by a worker, and its result is the same answer."""
        monkeypatch.setattr(
            "controlplane.provisioning.alerting_rules.endpoints.SAMPLES_AT_ONCE", -1
        )
        accepted = await client.post(f"{RULES}/preview?days=1", json=RULE)
        assert accepted.status_code == 202
        works = {work.KIND: work.Preview(work.previewer(settings, prometheus))}
        await Runner(sessions, app.state.vault, works).run()
        job = (await client.get(accepted.headers["location"])).json()
        assert (job["status"], job["result"]["fired"]) == ("succeeded", 4)
        assert job["done"] == job["total"]


class TestCost:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a > 1", {"a{}": 1}),
            ("rate(a[5m]) > 1", {"a{}": 20}),
            ('rate(a{b="c"}[5m] offset 1h) > b', {'a{b="c"}': 20, "b{}": 1}),
            ("max_over_time((a > 1)[1h:1m])", {"a{}": 60}),
            ("max_over_time(rate(a[5m])[1h:1m]) > 1", {"a{}": 1200}),
            ("topk(scalar(a), b)", {"a{}": 1, "b{}": 1}),
            ("rate(a[1s]) > 1", {"a{}": 1}),
        ],
    )
    def test_what_an_evaluation_reads(self, text: str, expected: dict[str, float]) -> None:
        """Of each series a sample, those of a range, and all that at each step of a subquery."""
        found = cost.readings(expression.parse(text), scrape_interval=15)
        assert {reading.selector: reading.samples for reading in found} == expected

    @pytest.mark.usefixtures("prometheus")
    async def test_it_is_told_in_words(self, client: AsyncClient) -> None:
        """Series that are not there now cost nothing; a check says what there are."""
        checked = (await client.post(f"{RULES}/check", json=RULE)).json()
        assert checked["cost"] == {
            "series": 0,
            "samples": 0,
            "words": "reads about 0 samples of 0 series every 15 seconds",
        }

    async def test_what_costs_too_much_is_not_enabled(
        self, client: AsyncClient, app: FastAPI
    ) -> None:
        """A draft may cost what it will; in force it may not, and the words say how much."""
        many = {"resultType": "vector", "result": [{"metric": {}, "value": [0, "300000"]}]}
        app.state.prometheus = clients.fake({"/api/v1/query": Answer(many)})
        await add(client, **{**RULE, "expr": "rate(temp[5m]) > 1"})
        refused = await client.post(f"{RULES}/TempOdd/enable")
        (problem,) = refused.json()["errors"]
        assert (refused.status_code, problem["pointer"], problem["code"]) == (422, "/expr", "cost")
        assert "6,000,000 samples of 300,000 series" in problem["message"]
        await client.patch(f"{RULES}/TempOdd", json={"expr": "temp > 1"})
        assert (await client.post(f"{RULES}/TempOdd/enable")).status_code == 200
        changed = await client.patch(f"{RULES}/TempOdd", json={"expr": "rate(temp[5m]) > 1"})
        assert changed.status_code == 422
        far = await client.post(f"{RULES}/preview?days=31", json=RULE)
        assert (far.status_code, far.json()["errors"][0]["pointer"]) == (422, "/query/days")

    async def test_all_rules_together_are_bounded(
        self, client: AsyncClient, app: FastAPI, settings: Settings
    ) -> None:
        """One rule too many, or one that reads too much beside the others, is refused and why."""
        many = {"resultType": "vector", "result": [{"metric": {}, "value": [0, "100000"]}]}
        app.state.prometheus = clients.fake({"/api/v1/query": Answer(many)})
        tight = {"live_rules_max": 2, "live_rules_max_samples": 2_000_000}
        for number, expr in enumerate(("temp > 1", "rate(temp[4m]) > 1", "temp > 2")):
            await add(client, **{**RULE, "name": f"Rule{number}", "expr": expr})
        app.state.settings = settings.model_copy(update=tight)
        try:
            enabled = await client.post(f"{RULES}/Rule1/enable")
            assert (enabled.status_code, enabled.json()["samples"]) == (200, 1_600_000)
            await client.patch(f"{RULES}/Rule0", json={"expr": "rate(temp[2m]) > 1"})
            refused = await client.post(f"{RULES}/Rule0/enable")
            assert refused.status_code == 409
            for words in ("reads 800,000 samples", "live 1,600,000", "CHM_LIVE_RULES_MAX_SAMPLES"):
                assert words in refused.json()["detail"]
            await client.patch(f"{RULES}/Rule0", json={"expr": "temp > 1"})
            assert (await client.post(f"{RULES}/Rule0/enable")).status_code == 200

            full = await client.post(f"{RULES}/Rule2/enable")
            assert full.status_code == 409
            assert "2 rules are live, and 2 may be (CHM_LIVE_RULES_MAX)" in full.json()["detail"]
            assert (await client.post(f"{RULES}/Rule0/enable")).status_code == 200

            # One that is live may become cheaper, or have other words, but not dearer.
            dearer = await client.patch(f"{RULES}/Rule0", json={"expr": "rate(temp[2m]) > 1"})
            assert dearer.status_code == 409
            app.state.settings = settings.model_copy(update={**tight, "live_rules_max_samples": 9})
            quieter = await client.patch(f"{RULES}/Rule1", json={"expr": "rate(temp[3m]) > 1"})
            assert (quieter.status_code, quieter.json()["samples"]) == (200, 1_200_000)
            assert (await client.post(f"{RULES}/Rule1/disable")).status_code == 200
            assert (await client.post(f"{RULES}/Rule1/enable")).status_code == 409
        finally:
            app.state.settings = settings

    async def test_the_last_place_goes_to_one(
        self, client: AsyncClient, app: FastAPI, settings: Settings
    ) -> None:
        """Of two rules that are enabled at the same time where one may be, one is."""
        urls = [f"{RULES}/Rule{number}" for number in range(2)]
        for url in urls:
            await add(client, **{**RULE, "name": url.rpartition("/")[2]})
        nothing = Answer({"resultType": "vector", "result": []})
        app.state.prometheus = clients.fake({"/api/v1/query": nothing})
        app.state.settings = settings.model_copy(update={"live_rules_max": 1})
        try:
            answers = await asyncio.gather(*(client.post(f"{url}/enable") for url in urls))
        finally:
            app.state.settings = settings
        assert sorted(answer.status_code for answer in answers) == [200, 409]

    async def test_what_fails_is_not_enabled(
        self, client: AsyncClient, app: FastAPI, tmp_path: Path
    ) -> None:
        """A join that fails with the series there are is refused by name, not naming devices."""
        at = now().timestamp()
        there = [f'{{device="core{number}",site="oslo"}}' for number in (1, 2)]
        server = with_samples(
            tmp_path, {f"{metric}{labels}": [(at, 1)] for labels in there for metric in "ab"}
        )
        await add(client, **{**RULE, "expr": "a == on (site) group_left () b"})
        await add(client, **{**RULE, "name": "Fine", "expr": "a == on (device) b"})
        async with server.running(), Prometheus.at(server.url) as asked:
            app.state.prometheus = asked
            refused = await client.post(f"{RULES}/TempOdd/enable")
            assert (await client.post(f"{RULES}/Fine/enable")).status_code == 200
            changed = await client.patch(
                f"{RULES}/Fine", json={"expr": "a == on (site) group_left () b"}
            )
        for answer, name in ((refused, "TempOdd"), (changed, "Fine")):
            (problem,) = answer.json()["errors"]
            assert answer.status_code == 422
            assert (problem["pointer"], problem["code"]) == ("/expr", "evaluation")
            assert problem["message"].startswith(
                f"the rule {name} fails when it is evaluated: many"
            )
            assert "core1" not in answer.text

    async def test_without_prometheus(self, client: AsyncClient, app: FastAPI) -> None:
        """A check does without the cost; nothing is enabled or looked back at, and it says why."""
        app.state.prometheus = down = Prometheus.at("http://127.0.0.1:9")
        await add(client, **RULE)
        assert (await client.post(f"{RULES}/check", json=RULE)).json()["cost"] is None
        for path in ("TempOdd/enable", "TempOdd/preview"):
            refused = await client.post(f"{RULES}/{path}")
            assert refused.status_code == 503
            assert "Prometheus" in refused.json()["detail"]
        await down.aclose()
