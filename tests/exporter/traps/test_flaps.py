"""What begins all the time is left to the rules, and told again once it was calm."""

from datetime import UTC, datetime, timedelta

from exporter.traps.flaps import CALM, MOST, WITHIN, Flaps

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_fourth_beginning_is_one_too_many() -> None:
    """Three times are told, then no more, however long it goes on; what is calm is told again."""
    flaps = Flaps()
    flapping = [flaps.begins("port", START + n * MINUTE) for n in range(60)]
    assert flapping == [False] * 3 + [True] * 57
    assert not flaps.begins("port", START + 59 * MINUTE + CALM)


def test_what_begins_now_and_then_does_not_flap() -> None:
    """Thrice in half an hour is an outage each time, and so is what is calm in between."""
    flaps = Flaps()
    pause = WITHIN / 3 - MINUTE
    assert not any(flaps.begins("port", START + n * pause) for n in range(3))
    assert not any(flaps.begins("other", START + n * CALM) for n in range(10))


def test_memory_is_bounded() -> None:
    """However many ports there are, those that were calm for longest are forgotten."""
    flaps = Flaps()
    for n in range(MOST + 10):
        flaps.begins(n, START)
    assert len(flaps.begun) == MOST
    assert 0 not in flaps.begun
