import asyncio
import json
from pathlib import Path
from threading import Event

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message

from exporter.app import Exporter, create_app, load
from exporter.config import Auth
from exporter.inventory import Device, Inventory, Snapshot
from exporter.profiles import loader
from exporter.profiles.loader import Configuration
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.agent import Agent, Request, Value, serve

SCRAPE = "snmp_scrape_"


@pytest.fixture
def with_inventory(exporter: Exporter) -> Exporter:
    """Return an exporter that is told of a control plane, and has no snapshot yet."""
    exporter.inventory = Inventory(httpx.AsyncClient(), exporter.telemetry, 5)
    return exporter


class TestSnmp:
    @pytest.mark.parametrize("auth", ["public_v1", "public_v2"])
    async def test_net_snmp(self, client: httpx.AsyncClient, snmpd: str, auth: str) -> None:
        """A scrape of net-snmp reads as Prometheus expects, with names and labels of IF-MIB."""
        params = {"target": snmpd, "auth": auth}
        response = await client.get("/snmp", params=params)

        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = {f.name: f for f in text_string_to_metric_families(response.text)}
        [loopback] = [s for s in families["ifOperStatus"].samples if s.labels["ifDescr"] == "lo"]
        assert loopback.value == 1
        assert set(loopback.labels) == {"ifIndex", "ifAlias", "ifDescr", "ifName"}
        assert families["ifInOctets"].type == "counter"
        # SNMPv1 has no 64-bit counters.
        assert ("\nifHCInOctets{" in response.text) == (auth == "public_v2")

    async def test_modules(self, client: httpx.AsyncClient, snmpd: str) -> None:
        """Modules are repeated or comma separated, each once, each with its own five gauges."""
        query = f"/snmp?target={snmpd}&module=system,if_mib&module=system"
        text = (await client.get(query)).text

        gauges = [line.split(" ")[0] for line in text.splitlines() if line.startswith(SCRAPE)]
        measured = ("walk_duration_seconds", "packets_sent", "packets_retried", "pdus_returned")
        assert gauges == [
            f'{SCRAPE}{name}{{module="{module}"}}'
            for name in (*measured, "duration_seconds")
            for module in ("system", "if_mib")
        ]
        assert 'sysName{sysName="edge1"} 1' in text

    @pytest.mark.parametrize(
        ("query", "problem"),
        [
            ("", "'target' parameter must be specified once"),
            ("target=", "'target' parameter must be specified once"),
            ("target=a&target=b", "'target' parameter must be specified once"),
            ("target=a&module=nope", "Unknown module 'nope'"),
            ("target=a&module=", "Unknown module ''"),
            ("target=a&auth=nope", "Unknown auth 'nope'"),
            ("target=a&auth=a&auth=b", "'auth' parameter must only be specified once"),
            ("target=a%20b", "Invalid target 'a b'"),
            (
                "target=a&snmp_context=a&snmp_context=b",
                "'snmp_context' parameter must only be specified once",
            ),
            (
                "target=a&snmp_engineid=80zz",
                "'snmp_engineid' parameter is not an engine id in hex: '80zz'",
            ),
            ("target=a&partial=yes", "'partial' parameter must be true or false: 'yes'"),
        ],
    )
    async def test_bad_request(self, client: httpx.AsyncClient, query: str, problem: str) -> None:
        """A wrong parameter is a 400 that names it."""
        response = await client.get(f"/snmp?{query}")
        assert (response.status_code, response.text) == (400, f"{problem}\n")

    async def test_failure(self, client: httpx.AsyncClient) -> None:
        """A target that does not answer is a 500 before the timeout, and says why."""
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "1"}
        async with serve({}, lambda _agent, _request: []) as agent:
            target = f"127.0.0.1:{agent.port}"
            started = asyncio.get_running_loop().time()
            response = await client.get(f"/snmp?target={target}", headers=headers)
            took = asyncio.get_running_loop().time() - started

        assert response.status_code == 500
        assert target in response.text
        assert "1.3.6.1.2.1.2" in response.text
        assert took < 1

    @pytest.mark.parametrize("header", ["soon", "-1", "nan", "inf"])
    async def test_bad_timeout(self, client: httpx.AsyncClient, header: str) -> None:
        """A timeout that is none is refused."""
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": header}
        response = await client.get("/snmp?target=127.0.0.1", headers=headers)
        assert response.status_code == 400

    @pytest.mark.parametrize("path", ["/snmp", "/probe", "/icmp", "/config"])
    async def test_methods(self, client: httpx.AsyncClient, path: str) -> None:
        """Scrapes are answered by a shorter way, but to the same methods as all else."""
        got, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.headers) == (got.status_code, got.headers)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = await client.request(method, path)
            assert answer.status_code == 405
            assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "HEAD"]

    async def test_client_hangs_up(self, exporter: Exporter) -> None:
        """A client that goes away stops the walk."""
        asked = asyncio.Event()

        def silent(_agent: Agent, _request: Request) -> list[bytes]:
            asked.set()
            return []

        async with serve({}, silent) as agent:
            query = f"target=127.0.0.1:{agent.port}".encode()
            scope = {
                "type": "http",
                "method": "GET",
                "path": "/snmp",
                "query_string": query,
                "headers": [],
            }
            sent: list[Message] = []

            async def receive() -> Message:
                await asked.wait()
                return {"type": "http.disconnect"}

            async def send(message: Message) -> None:
                sent.append(message)

            await asyncio.wait_for(create_app(exporter)(scope, receive, send), 2)
        assert sent[0]["status"] == 499
        assert len(agent.requests) == 1


class TestProbe:
    async def test_device(self, with_inventory: Exporter, switch: dict[str, Value]) -> None:
        """A device is probed by its name; whether it answers is data, and the status is 200."""
        app = create_app(with_inventory)
        transport = httpx.ASGITransport(app)
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "2"}
        async with (
            serve(switch) as agent,
            httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client,
        ):
            assert with_inventory.inventory is not None
            devices = {
                "edge 1": Device("127.0.0.1", ("lab",), agent.port),
                "dead": Device("127.0.0.1", ("wrong",), agent.port),
            }
            auths = {"lab": Auth(), "wrong": Auth(community="s3cret")}
            with_inventory.inventory.snapshot = Snapshot("1", auths, devices)
            alive = await client.get("/probe", params={"target": "edge 1"})
            dead = await client.get("/probe", params={"target": "dead"})
            unknown = await client.get("/probe", params={"target": "core9"})

        assert (alive.status_code, dead.status_code) == (200, 200)
        assert "\nchm_device_up 1\n" in alive.text
        assert 'chm_cpu_utilization_ratio{cpu="Switch 1"} 0.42' in alive.text
        assert [line for line in dead.text.splitlines() if line[0] != "#"] == ["chm_device_up 0"]
        assert (unknown.status_code, unknown.text) == (404, "Unknown device 'core9'\n")

    async def test_no_inventory(self, client: httpx.AsyncClient) -> None:
        """Without a control plane there are no devices to probe."""
        assert (await client.get("/probe?target=core1")).status_code == 404
        assert (await client.get("/probe")).status_code == 400


class TestOperation:
    async def test_health(self, client: httpx.AsyncClient) -> None:
        """A running exporter is healthy, and ready when it has all it needs."""
        assert (await client.get("/-/healthy")).text == "Healthy"
        assert (await client.get("/-/ready")).status_code == 200

    async def test_not_ready(self, with_inventory: Exporter) -> None:
        """With a control plane, ready means that there is a snapshot."""
        transport = httpx.ASGITransport(create_app(with_inventory))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            assert (await client.get("/-/ready")).status_code == 503

    async def test_metrics(self, client: httpx.AsyncClient, snmpd: str) -> None:
        """The exporter counts what it does under snmp_exporter's names."""
        await client.get(f"/snmp?target={snmpd}&module=system")
        await client.get("/snmp")
        text = (await client.get("/metrics")).text

        assert "snmp_request_errors_total 1.0" in text
        assert 'snmp_collection_duration_seconds_count{module="system"} 1.0' in text
        for name in ("snmp_packets_total", "snmp_packet_retries_total", "snmp_request_in_flight"):
            assert f"\n{name} " in text
        assert "snmp_exporter_build_info{version=" in text

    async def test_replay(self, client: httpx.AsyncClient, snmpd: str) -> None:
        """Of the second of two scrapes some pages are not decoded, and how many is counted."""
        names = [f"chm_exporter_replay_{name}" for name in ("bytes", "hits_total", "misses_total")]
        counts = []
        for _ in range(2):
            assert (await client.get(f"/snmp?target={snmpd}&module=system,if_mib")).is_success
            lines = (await client.get("/metrics")).text.splitlines()
            values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
            counts.append([float(values[name]) for name in names])
        (size, hits, misses), (size_after, hits_after, _) = counts

        assert 0 < size <= size_after < Settings().replay_memory
        assert (hits, misses > 0, hits_after > 0) == (0, True, True)

    async def test_config(self, client: httpx.AsyncClient) -> None:
        """The configuration is shown without its secrets."""
        text = (await client.get("/config")).text
        assert "community: <secret>" in text
        assert "public\n" not in text

    async def test_landing(self, client: httpx.AsyncClient) -> None:
        """The root page has a form to scrape by hand."""
        text = (await client.get("/")).text
        assert 'action="/snmp"' in text
        assert '<option value="if_mib">' in text

    async def test_reload(self, telemetry: Telemetry, tmp_path: Path) -> None:
        """A reload takes the new file; a bad one is a 500 with the reason, and the old stays."""
        path = tmp_path / "snmp.yml"
        path.write_text(json.dumps({"auths": {"one": {}}}))
        settings = Settings((str(path),))
        exporter = Exporter(settings, telemetry, loader.load([str(path)]), None)
        transport = httpx.ASGITransport(create_app(exporter))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            assert (await client.get("/-/reload")).status_code == 400
            path.write_text(json.dumps({"auths": {"two": {}}}))
            assert (await client.post("/-/reload")).status_code == 200
            path.write_text(json.dumps({"auths": {"three": {"version": 7}}}))
            failed = await client.post("/-/reload")

        assert failed.status_code == 500
        assert "auths.three.version" in failed.text
        assert set(exporter.configuration.auths) == {"two"}

    async def test_reload_beside_scrapes(
        self, telemetry: Telemetry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While large files are read everything else is served, and what they say holds at once."""
        path, served = tmp_path / "snmp.yml", Event()
        path.write_text("auths: {one: {}}")
        settings = Settings(config_files=(str(path),))
        exporter = Exporter(settings, telemetry, load(settings), None)

        def slow(given: Settings) -> Configuration:
            assert served.wait(5)
            return load(given)

        monkeypatch.setattr("exporter.app.exporter.load", slow)
        transport = httpx.ASGITransport(create_app(exporter))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
            path.write_text("auths: {two: {}}")
            reloading = asyncio.create_task(client.post("/-/reload"))
            await asyncio.sleep(0.01)
            assert "one:" in (await client.get("/config")).text
            served.set()
            assert (await reloading).status_code == 200
            assert "two:" in (await client.get("/config")).text
            assert '<option value="two">' in (await client.get("/")).text
