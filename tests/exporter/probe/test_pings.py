import httpx
import pytest

from exporter.errors import LocalFault, NotPermitted, ProtocolError
from exporter.metrics import CATALOGUE
from exporter.probe import Prober
from exporter.profiles.loader import Configuration
from exporter.protocols import icmp
from exporter.protocols.icmp import Echoes, Pace
from tests.exporter.agent import Value, serve
from tests.exporter.conftest import free_port
from tests.exporter.probe.test_prober import inventory, prober, series

__all__ = ["prober"]  # a fixture

HOST = {"target": "192.0.2.7"}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Pace]]:
    """Return what was pinged in a network where every second echo is lost."""
    pinged: list[tuple[str, Pace]] = []

    async def ping(address: str, pace: Pace, _deadline: float) -> Echoes:
        pinged.append((address, pace))
        return Echoes(pace.count, 0.001, [0.02, 0.04][: pace.count // 2], 57)

    monkeypatch.setattr(icmp, "ping", ping)
    return pinged


def samples(response: httpx.Response) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in response.text.splitlines() if line[0] != "#"]
    return {name: float(number) for name, number in lines}


class TestEndpoint:
    async def test_answers(
        self, client: httpx.AsyncClient, network: list[tuple[str, Pace]]
    ) -> None:
        """`/icmp` answers with blackbox_exporter's names, and with loss, spread and jitter."""
        response = await client.get("/icmp", params={**HOST, "count": "4", "interval": "0.1"})

        found = samples(response)
        expected = {
            "probe_success": 1,
            "probe_ip_protocol": 4,
            "probe_icmp_reply_hop_limit": 57,
            'probe_icmp_duration_seconds{phase="setup"}': 0.001,
            'probe_icmp_duration_seconds{phase="rtt"}': 0.03,
            "chm_icmp_loss_ratio": 0.5,
            "chm_icmp_rtt_min_seconds": 0.02,
            "chm_icmp_rtt_avg_seconds": 0.03,
            "chm_icmp_rtt_max_seconds": 0.04,
            "chm_icmp_jitter_seconds": 0.02,
            "chm_icmp_reply_hop_limit": 57,
        }
        assert expected == pytest.approx({name: found[name] for name in expected})
        assert {"probe_duration_seconds", "probe_dns_lookup_time_seconds"} <= found.keys()
        assert network == [("192.0.2.7", Pace(4, 0.1, 1.0))]

    async def test_silence(
        self, client: httpx.AsyncClient, network: list[tuple[str, Pace]]
    ) -> None:
        """A host that does not answer is data: no success, all lost, and no time that was not."""
        found = samples(await client.get("/icmp", params={**HOST, "count": "1"}))

        assert (found["probe_success"], found["chm_icmp_loss_ratio"]) == (0, 1)
        assert not {name for name in found if name.startswith("chm_icmp_rtt")}
        assert len(network) == 1

    async def test_unknown_name(self, client: httpx.AsyncClient) -> None:
        """A name without an address is no success either."""
        found = samples(await client.get("/icmp", params={"target": "nowhere.invalid"}))

        assert found["probe_success"] == 0
        assert "probe_ip_protocol" not in found

    @pytest.mark.parametrize(
        "error", [NotPermitted("icmp", icmp.DENIED), LocalFault("192.0.2.7", "no buffer")]
    )
    async def test_not_asked(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, error: ProtocolError
    ) -> None:
        """Where this host cannot ping that is said, and no host is called dead."""

        async def fail(*_arguments: object) -> Echoes:
            raise error

        monkeypatch.setattr(icmp, "ping", fail)
        response = await client.get("/icmp", params=HOST)

        assert response.status_code == 503
        assert error.detail in response.text

    @pytest.mark.parametrize("wrong", [{"count": "0"}, {"count": "x"}, {"interval": "nan"}])
    async def test_wrong(self, client: httpx.AsyncClient, wrong: dict[str, str]) -> None:
        """Parameters that make no sense are refused by name."""
        response = await client.get("/icmp", params={**HOST, **wrong})

        assert response.status_code == 400
        assert next(iter(wrong)) in response.text


class TestDevice:
    async def test_beside_snmp(
        self,
        prober: Prober,
        configuration: Configuration,
        switch: dict[str, Value],
        network: list[tuple[str, Pace]],
    ) -> None:
        """A device that lists `icmp` is pinged while it is asked, as one more collector."""
        async with serve(switch) as agent:
            found = await series(prober, inventory(agent.port, modules=("icmp",)), configuration)

        assert found["chm_device_up"] == 1
        assert found["chm_icmp_loss_ratio"] == 0.5
        assert found['chm_collector_success{collector="icmp"}'] == 1
        assert found['chm_collector_samples{collector="icmp"}'] == 6
        assert network[0][0] == "127.0.0.1"

    async def test_cannot_send(
        self,
        prober: Prober,
        configuration: Configuration,
        switch: dict[str, Value],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Where no echo could be sent there is no loss, and the collector has failed."""

        async def fail(*_arguments: object) -> Echoes:
            raise LocalFault("127.0.0.1", "no buffer")

        monkeypatch.setattr(icmp, "ping", fail)
        async with serve(switch) as agent:
            found = await series(prober, inventory(agent.port, modules=("icmp",)), configuration)

        assert found['chm_collector_success{collector="icmp"}'] == 0
        assert not any(name.startswith("chm_icmp_") for name in found)

    async def test_without_snmp(
        self,
        prober: Prober,
        configuration: Configuration,
        network: list[tuple[str, Pace]],
    ) -> None:
        """A device whose agent is dead still tells whether it can be reached."""
        found = await series(prober, inventory(free_port(), modules=("icmp",)), configuration)

        assert (found["chm_device_up"], found["chm_icmp_loss_ratio"]) == (0, 0.5)
        assert "chm_collectors_failed" not in found, (
            "of what is gone nobody can say that all was told"
        )
        assert len(network) == 1


def test_catalogue() -> None:
    """Every family of ICMP is in the catalogue."""
    assert len([name for name in CATALOGUE if name.startswith("chm_icmp_")]) == 6
