import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporter.errors import Busy, LeftAlone
from exporter.probe import Devices
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.agent import Value, parse, serve
from tests.exporter.serving import calling, counted, made, with_device

OPEN = {"state": "open"}


def up(text: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith("chm_device_up ")]
    return float(line.split(" ")[1])


class TestTurns:
    @pytest.mark.parametrize("allowed", [1, 2])
    async def test_concurrency(
        self, tmp_path: Path, switch: dict[str, Value], allowed: int
    ) -> None:
        """A device is asked by one scrape at a time, unless the operator allows more."""
        exporter = made(tmp_path, device_concurrency=allowed)
        async with serve(switch) as agent, calling(exporter) as client:
            agent.delay = 0.01
            url = f"/snmp?target=127.0.0.1:{agent.port}&module="
            answers = await asyncio.gather(client.get(url + "system"), client.get(url + "if_mib"))

        assert [answer.status_code for answer in answers] == [200, 200]
        assert agent.most_pending == allowed

    async def test_busy(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """A scrape whose turn does not come says so, and says nothing about the device."""
        exporter = made(tmp_path)
        async with serve(switch) as agent, calling(exporter) as client:
            with_device(exporter, agent.port)
            address = f"127.0.0.1:{agent.port}"
            async with exporter.scraper.devices.turn(address, asyncio.get_running_loop().time()):
                hurry = {"X-Prometheus-Scrape-Timeout-Seconds": "0.7"}
                probed = await client.get("/probe?target=edge1", headers=hurry)
                scraped = await client.get(f"/snmp?target={address}", headers=hurry)
            later = await client.get("/probe?target=edge1")

        assert (probed.status_code, scraped.status_code) == (503, 500)
        assert "other scrapes of it are still under way" in probed.text
        assert "other scrapes of it are still under way" in scraped.text
        assert up(later.text) == 1


class TestCircuit:
    async def test_open_and_back(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """A silent device is left alone for a while; the first scrape after that serves in full."""
        exporter = made(tmp_path, breaker_failures=2, breaker_interval=0.4)
        async with (
            serve(switch, lambda _agent, _request: []) as agent,
            calling(exporter, 1) as client,
        ):
            with_device(exporter, agent.port)
            for _ in range(2):
                assert up((await client.get("/probe?target=edge1")).text) == 0
            asked = len(agent.requests)
            started = asyncio.get_running_loop().time()
            probed = [await client.get("/probe?target=edge1") for _ in range(2)]
            took = asyncio.get_running_loop().time() - started

            assert [up(answer.text) for answer in probed] == [0, 0]
            assert took < 0.2
            assert len(agent.requests) == asked
            assert counted(exporter, "chm_exporter_circuit_breakers", **OPEN) == 1
            assert counted(exporter, "chm_exporter_circuit_breaker_rejections_total") == 2

            agent.reply = None
            await asyncio.sleep(0.45)
            back = await client.get(
                "/probe?target=edge1", headers={"X-Prometheus-Scrape-Timeout-Seconds": "3"}
            )

        assert up(back.text) == 1
        assert 'chm_cpu_utilization_ratio{cpu="Switch 1"} 0.42' in back.text
        assert counted(exporter, "chm_exporter_circuit_breakers", **OPEN) == 0

    async def test_one_who_has_the_wrong_password(
        self, tmp_path: Path, switch: dict[str, Value]
    ) -> None:
        """Silence towards one asker leaves that one alone, and takes the device from nobody."""
        exporter = made(tmp_path, breaker_failures=2, breaker_interval=60)
        async with (
            serve(switch, lambda _agent, _request: []) as agent,
            calling(exporter, 0.7) as client,
        ):
            with_device(exporter, agent.port)
            for _ in range(2):
                await client.get(f"/snmp?target=127.0.0.1:{agent.port}")
            agent.reply = None
            scraped = await client.get(f"/snmp?target=127.0.0.1:{agent.port}")
            probed = await client.get(
                "/probe?target=edge1", headers={"X-Prometheus-Scrape-Timeout-Seconds": "3"}
            )

        assert scraped.status_code == 500
        assert "not asked: the last 2 scrapes of it got no answer" in scraped.text
        assert up(probed.text) == 1

    async def test_still_silent(self, tmp_path: Path) -> None:
        """A trial that fails opens the circuit anew."""
        exporter = made(tmp_path, breaker_failures=1, breaker_interval=0.3)
        async with (
            serve({}, lambda _agent, _request: []) as agent,
            calling(exporter, 0.6) as client,
        ):
            with_device(exporter, agent.port)
            await client.get("/probe?target=edge1")
            await asyncio.sleep(0.35)
            asked = len(agent.requests)
            await client.get("/probe?target=edge1")
            tried = len(agent.requests)
            await client.get("/probe?target=edge1")

        assert asked < tried == len(agent.requests)

    async def test_agents_that_answer(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """A device whose answers are of no use is there, and is asked every time."""
        deaf = parse("1.3.6.1.2.1.31")
        exporter = made(tmp_path, breaker_failures=1)
        async with (
            serve(switch, lambda a, r: [] if r.oids[0][:7] == deaf else a.answer(r)) as agent,
            calling(exporter, 1) as client,
        ):
            answers = [await client.get(f"/snmp?target=127.0.0.1:{agent.port}") for _ in range(2)]
        for answer in answers:
            assert answer.status_code == 500
            assert "module if_mib: no answer at 1.3.6.1.2.1.31.1.1" in answer.text

    async def test_never(self, tmp_path: Path) -> None:
        """With 0 failures no circuit opens."""
        exporter = made(tmp_path, breaker_failures=0)
        async with (
            serve({}, lambda _agent, _request: []) as agent,
            calling(exporter, 0.5) as client,
        ):
            for _ in range(3):
                before = len(agent.requests)
                await client.get(f"/snmp?target=127.0.0.1:{agent.port}")
                assert len(agent.requests) > before

    async def test_one_trial(self, telemetry: Telemetry) -> None:
        """Of scrapes side by side one finds out if the device is back, and the metrics add up."""
        settings = Settings(device_concurrency=3, breaker_failures=1, breaker_interval=0.01)
        devices = Devices(settings, telemetry)
        deadline = asyncio.get_running_loop().time() + 1
        async with devices.turn("edge", deadline) as device:
            devices.silent(device)
        await asyncio.sleep(0.02)
        async with devices.turn("edge", deadline) as device:
            with pytest.raises(LeftAlone):
                async with devices.turn("edge", deadline):
                    pass
            devices.answered(device)
            async with devices.turn("edge", deadline):
                pass
        value = telemetry.registry.get_sample_value
        for state in ("open", "half_open"):
            assert value("chm_exporter_circuit_breakers", {"state": state}) == 0


class TestMemory:
    async def test_bounded(self, telemetry: Telemetry) -> None:
        """The devices asked least recently are forgotten, but none that is being asked."""
        devices = Devices(Settings(breaker_failures=1), telemetry, most=2)
        deadline = asyncio.get_running_loop().time() + 1
        async with devices.turn("busy", deadline):
            for name in ("a", "b", "c", "b", "d"):
                async with devices.turn(name, deadline) as device:
                    devices.silent(device) if name == "a" else devices.answered(device)
            assert set(devices.known) == {"busy", "d"}
            with pytest.raises(Busy):
                async with devices.turn("busy", deadline - 1):
                    pass
        assert telemetry.registry.get_sample_value("chm_exporter_circuit_breakers", OPEN) == 0

    async def test_unknown_name(self, tmp_path: Path) -> None:
        """A name without an address is not taken for a silent device."""
        exporter = made(tmp_path, breaker_failures=1)
        async with calling(exporter, 1) as client:
            for _ in range(2):
                answer = await client.get("/snmp?target=nowhere.invalid")
                assert "the name has no address" in answer.text


class TestFaultsOfThisHost:
    async def test_no_such_source_address(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """Where this host cannot ask, nothing is said of the device, and its circuit stays."""
        exporter = made(tmp_path, source_address="192.0.2.1", breaker_failures=1)
        async with serve(switch) as agent, calling(exporter) as client:
            with_device(exporter, agent.port)
            probed = [await client.get("/probe?target=edge1") for _ in range(2)]

        assert [answer.status_code for answer in probed] == [503, 503]
        assert not [answer for answer in probed if "chm_device_up" in answer.text]
        assert counted(exporter, "chm_exporter_circuit_breakers", **OPEN) == 0

    @pytest.mark.parametrize("room", [0, 1])
    @pytest.mark.parametrize("memory", [0, 1 << 20])
    async def test_no_descriptors_left(
        self, tmp_path: Path, switch: dict[str, Value], room: int, memory: int
    ) -> None:
        """Without descriptors for its sockets a probe is a 503; with them it goes on at once."""
        exporter = made(tmp_path, breaker_failures=1, replay_memory=memory)
        async with serve(switch) as agent, calling(exporter) as client:
            with_device(exporter, agent.port)
            with descriptors_left(room):
                starved = await client.get("/probe?target=edge1")
            served = await client.get("/probe?target=edge1")

        assert starved.status_code == 503, starved.text
        assert up(served.text) == 1


@contextmanager
def descriptors_left(room: int) -> Iterator[None]:
    """Let this process open no more than so many files or sockets for the length of a block."""
    lowest = os.dup(0)
    os.close(lowest)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
