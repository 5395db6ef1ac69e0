"""What begins all the time is left to the rules, and told again once it was calm."""

from datetime import UTC, datetime, timedelta

import pytest

from exporter.traps.flaps import MOST, Flaps

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOWS = pytest.mark.parametrize("minutes", [30, 90])


@WINDOWS
def test_the_fourth_beginning_is_one_too_many(minutes: int) -> None:
    """Three times are told, then no more, however long it goes on; what is calm is told again."""
    flaps, window = Flaps(), minutes * MINUTE
    flapping = [flaps.begins("port", START + n * MINUTE, window) for n in range(60)]
    assert flapping == [False] * 3 + [True] * 57
    assert not flaps.begins("port", START + 59 * MINUTE + window / 3, window)


@WINDOWS
def test_what_begins_now_and_then_does_not_flap(minutes: int) -> None:
    """Thrice in a window is an outage each time, and so is what is calm in between."""
    flaps, window = Flaps(), minutes * MINUTE
    pause = window / 3 - MINUTE
    assert not any(flaps.begins("port", START + n * pause, window) for n in range(3))
    assert flaps.begins("port", START + 3 * pause, window)
    assert not any(flaps.begins("other", START + n * window / 3, window) for n in range(10))


def test_memory_is_bounded() -> None:
    """However many ports there are, those that were calm for longest are forgotten."""
    flaps = Flaps()
    for n in range(MOST + 10):
        flaps.begins(n, START, MINUTE)
    assert len(flaps.begun) == MOST
    assert 0 not in flaps.begun
