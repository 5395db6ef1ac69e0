from prometheus_client import CollectorRegistry, Histogram, generate_latest

from exporter.telemetry import PACKET_BUCKETS, Durations

SECONDS = [0.00005, 0.0001, 0.00011, 0.5, 0.5, 7.0, 1.6384, 2.0]


def test_many_at_once() -> None:
    """Observations taken together are the same as taken one by one."""
    one, many = CollectorRegistry(), CollectorRegistry()
    single = Histogram("x", "x", buckets=PACKET_BUCKETS, registry=one)
    for seconds in SECONDS:
        single.observe(seconds)
    together = Durations("x", "x", buckets=PACKET_BUCKETS, registry=many)
    together.observe_all(SECONDS[:3])
    together.observe_all([])
    together.observe_all(SECONDS[3:])

    def samples(registry: CollectorRegistry) -> list[bytes]:
        lines = generate_latest(registry).splitlines()
        return [line for line in lines if b"_created" not in line]

    assert samples(many) == samples(one)
