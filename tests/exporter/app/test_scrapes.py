import asyncio
import gc
import gzip
import os
from pathlib import Path

import httpx
import pytest

from exporter.app import create_app
from tests.exporter.agent import Agent, Request, Value, parse, serve
from tests.exporter.serving import calling, counted, listening, made, with_device

SYSTEM = "module=system"


async def until_asked(agent: Agent) -> None:
    async with asyncio.timeout(2):
        while not agent.requests:
            await asyncio.sleep(0.005)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no file is read


class TestMerging:
    async def test_one_walk(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """Identical scrapes at the same time are one walk, and everybody gets its answer."""
        exporter = made(tmp_path)
        async with serve(switch) as agent, calling(exporter) as client:
            agent.delay = 0.02
            url = f"/snmp?target=127.0.0.1:{agent.port}&{SYSTEM}"
            alone = await client.get(url)
            packets = len(agent.requests)
            answers = await asyncio.gather(*(client.get(url) for _ in range(5)))

        assert [answer.status_code for answer in answers] == [200] * 5
        assert len({answer.text for answer in answers}) == 1
        assert 'sysName{sysName="edge1"} 1' in alone.text
        assert len(agent.requests) == 2 * packets
        assert counted(exporter, "chm_exporter_requests_merged_total") == 4

    async def test_different_scrapes(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """Scrapes that differ in anything but their timeout are not merged."""
        exporter = made(tmp_path)
        async with serve(switch) as agent, calling(exporter) as client:
            agent.delay = 0.02
            url = f"/snmp?target=127.0.0.1:{agent.port}&{SYSTEM}"
            more = ("", "&auth=public_v1", "&partial=true", "&snmp_context=", "&module=if_mib")
            answers = await asyncio.gather(*(client.get(url + query) for query in more))

        assert [answer.status_code for answer in answers] == [200] * 5
        assert counted(exporter, "chm_exporter_requests_merged_total") == 1

    async def test_hang_ups(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """A client that hangs up leaves the others their answer; the last one ends the walk."""
        exporter = made(tmp_path)
        async with serve(switch) as agent, listening(create_app(exporter)) as port:
            agent.delay = 0.15
            path = f"/snmp?target=127.0.0.1:{agent.port}"
            request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            _, first = await asyncio.open_connection("127.0.0.1", port)
            first.write(request)
            await until_asked(agent)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                patient = asyncio.create_task(client.get(path))
                await asyncio.sleep(0.05)
                first.close()
                assert (await patient).status_code == 200
            whole = len(agent.requests)

            agent.requests.clear()
            writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(2)]
            for writer in writers:
                writer.write(request)
            await until_asked(agent)
            for writer in writers:
                writer.close()
            await asyncio.sleep(0.5)

        assert len(agent.requests) < whole
        assert counted(exporter, "chm_exporter_requests_cancelled_total") == 3
        assert exporter.requests == 0
        assert not exporter.flights.flying

    async def test_less_time(self, tmp_path: Path) -> None:
        """A scrape with less time than the one it joins is answered in its own time."""
        exporter = made(tmp_path)
        async with serve({}, lambda _agent, _request: []) as agent, calling(exporter, 3) as client:
            url = f"/snmp?target=127.0.0.1:{agent.port}"
            slow = asyncio.create_task(client.get(url))
            await until_asked(agent)
            hurried = {"X-Prometheus-Scrape-Timeout-Seconds": "0.8"}
            started = asyncio.get_running_loop().time()
            quick = await client.get(url, headers=hurried)
            took = asyncio.get_running_loop().time() - started
            slow.cancel()

        assert quick.status_code == 503
        assert "merged" in quick.text
        assert took < 0.8


class TestAdmission:
    async def test_too_many(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """More scrapes than allowed are refused at once with 503, and counted."""
        exporter = made(tmp_path, max_requests=1)
        async with serve(switch) as agent, calling(exporter) as client:
            agent.delay = 0.05
            url = f"/snmp?target=127.0.0.1:{agent.port}&module="
            served = asyncio.create_task(client.get(url + "system"))
            await until_asked(agent)
            refused = await client.get(url + "if_mib")
            assert (await served).status_code == 200
            later = await client.get(url + "system")

        assert refused.status_code == 503
        assert "under way" in refused.text
        assert later.status_code == 200
        assert counted(exporter, "chm_exporter_requests_rejected_total") == 1

    async def test_no_snapshot(self, tmp_path: Path) -> None:
        """Before the first snapshot a probe is a 503 with the reason: the device may well exist."""
        exporter = with_device(made(tmp_path), 9)
        assert exporter.inventory is not None
        exporter.inventory.snapshot = None
        async with calling(exporter) as client:
            answer = await client.get("/probe?target=edge1")
        assert (answer.status_code, answer.text) == (503, "No snapshot of the inventory yet\n")


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_sockets(tmp_path: Path, switch: dict[str, Value], concurrency: int) -> None:
    """Whatever goes wrong, the sockets of a scrape are closed with it, not by a collector."""
    system = parse("1.3.6.1.2.1.1")

    def half_deaf(agent: Agent, request: Request) -> list[bytes]:
        return agent.answer(request) if request.oids[0][: len(system)] == system else []

    def deaf(_agent: Agent, _request: Request) -> list[bytes]:
        return []

    exporter = made(tmp_path, breaker_failures=0, module_concurrency=concurrency)
    async with serve(switch) as agent, calling(exporter, 0.5) as client:
        with_device(exporter, agent.port)
        url = f"/snmp?target=127.0.0.1:{agent.port}&module=system,if_mib"
        open_before = descriptors()
        gc.disable()
        try:
            for answering in (half_deaf, deaf):
                agent.reply = answering
                for path in (url, f"{url}&partial=true", "/probe?target=edge1"):
                    await client.get(path)
                    assert descriptors() == open_before, path
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.get(url), 0.1)
            assert descriptors() == open_before
        finally:
            gc.enable()


@pytest.mark.parametrize("source", ["", "127.0.0.7"])
async def test_source_address(tmp_path: Path, switch: dict[str, Value], source: str) -> None:
    """Devices are asked from the address that the operator names."""
    exporter = made(tmp_path, source_address=source)
    async with serve(switch) as agent, calling(exporter) as client:
        with_device(exporter, agent.port)
        scraped = await client.get(f"/snmp?target=127.0.0.1:{agent.port}")
        probed = await client.get("/probe?target=edge1")

    assert scraped.status_code == 200
    assert "\nchm_device_up 1\n" in probed.text
    assert agent.sources == {source or "127.0.0.1"}


@pytest.mark.parametrize(("wrapped", "shown"), [(True, "1"), (False, str(2**53 + 1))])
async def test_large_counters(
    tmp_path: Path, switch: dict[str, Value], *, wrapped: bool, shown: str
) -> None:
    """64-bit counters are taken modulo 2^53, or as they are where the operator wants that."""
    exporter = made(tmp_path, wrap_large_counters=wrapped)
    async with serve(switch) as agent, calling(exporter) as client:
        text = (await client.get(f"/snmp?target=127.0.0.1:{agent.port}")).text

    [line] = [x for x in text.splitlines() if x.startswith("ifHCInOctets") and 'Index="1"' in x]
    assert line.endswith(f"}} {shown}")


class TestCompression:
    @pytest.mark.parametrize(
        ("accepted", "coding"),
        [
            ("gzip", "gzip"),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip"),
            ("", None),
            ("br", None),
            ("gzip;q=0", None),
            ("identity", None),
        ],
    )
    async def test_only_on_demand(
        self, tmp_path: Path, switch: dict[str, Value], accepted: str, coding: str | None
    ) -> None:
        """An answer is gzipped where the client asks for it, and is the same page."""
        async with serve(switch) as agent, calling(made(tmp_path)) as client:
            url = f"/snmp?target=127.0.0.1:{agent.port}"
            request = client.build_request("GET", url, headers={"Accept-Encoding": accepted})
            answer = await client.send(request, stream=True)
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])

        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        text = (gzip.decompress(raw) if coding else raw).decode()
        assert 'ifOperStatus{ifAlias="to \\"core1\\""' in text
