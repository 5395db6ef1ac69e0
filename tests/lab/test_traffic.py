import pytest

from lab import traffic

NOON = 1_700_000_000.0


@pytest.fixture
def load() -> traffic.Load:
    return traffic.load("core1 -> dist1", 10_000, 0.1)


def test_counters_agree_with_rates(load: traffic.Load) -> None:
    """What a link has counted is the sum of its rates."""
    steps = [NOON + second for second in range(3_600)]

    assert load.octets(NOON, NOON + 3_600) == pytest.approx(
        sum(load.rate(at + 0.5) for at in steps), rel=1e-4
    )


def test_it_does_not_matter_how_often_one_looks(load: traffic.Load) -> None:
    """Counting in steps gives what counting at once gives."""
    whole = load.octets(NOON, NOON + 60)

    assert sum(load.octets(NOON + s, NOON + s + 1) for s in range(60)) == pytest.approx(whole)


def test_load_is_never_negative(load: traffic.Load) -> None:
    """A link never carries less than nothing, and never more than it can."""
    rates = [load.rate(NOON + minute * 60) for minute in range(1_440)]

    assert 0 < min(rates) < max(rates) < 10_000 * 125_000
