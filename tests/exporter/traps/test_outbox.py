"""Events on their way to a control plane, or a proxy before it, that takes only so much at once."""

import json
from dataclasses import dataclass, field

import httpx

from exporter.telemetry import Telemetry
from exporter.traps import Outbox

TOO_LARGE = 413


@dataclass
class Proxy:
    """Takes bodies of so many octets."""

    most: int
    sizes: list[int] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Take the events of a request, or none of them."""
        self.sizes.append(len(request.content))
        if len(request.content) > self.most:
            return httpx.Response(TOO_LARGE)
        self.taken += [event["id"] for event in json.loads(request.content)["events"]]
        return httpx.Response(200)

    def client(self) -> httpx.AsyncClient:
        """Give a client of it."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer), base_url="http://cp")


def dropped(telemetry: Telemetry, reason: str) -> float:
    return telemetry.registry.get_sample_value("chm_trap_dropped_total", {"reason": reason}) or 0


async def test_too_large_together(telemetry: Telemetry) -> None:
    """What is too large for one request goes in several, or not at all if it is one event."""
    proxy = Proxy(500)
    async with proxy.client() as client:
        outbox = Outbox(client, None, telemetry)
        sizes = {"0": 100, "1": 100, "2": 700, "3": 100, "4": 100}
        for identity, size in sizes.items():
            outbox.put({"id": identity, "text": "x" * size})
        assert await outbox.send()

    assert proxy.taken == ["0", "1", "3", "4"]
    assert not outbox.waiting
    assert dropped(telemetry, "refused") == 1


async def test_requests_are_bounded(telemetry: Telemetry) -> None:
    """A request has as many events as fit into a quarter of a megabyte, and a hundred at most."""
    proxy = Proxy(10**9)
    async with proxy.client() as client:
        outbox = Outbox(client, None, telemetry)
        names = [str(number) for number in range(350)]
        for name in names:
            outbox.put({"id": name, "text": "x" * (6000 if int(name) < 100 else 10)})
        while outbox.waiting:
            before = len(proxy.taken)
            assert await outbox.send()
            assert 0 < len(proxy.taken) - before <= 100

    assert proxy.taken == names
    assert max(proxy.sizes) < 257 * 1024


async def test_what_waits_is_bounded(telemetry: Telemetry) -> None:
    """Of more octets than may wait the oldest events are dropped and counted."""
    proxy = Proxy(10**9)
    async with proxy.client() as client:
        outbox = Outbox(client, None, telemetry, most=10_000)
        for number in range(30):
            outbox.put({"id": str(number), "text": "ä" * 475})
        assert await outbox.send()

    assert proxy.taken == [str(number) for number in range(20, 30)]
    assert dropped(telemetry, "queue_full") == 20
