"""Outages from what was told of them, in whatever order."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from controlplane.alerts import episodes
from controlplane.alerts.episodes import Episode

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
Facts = list[tuple[datetime, datetime | None]]


def at(minute: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=minute)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Give starts, each told with ends or without, in any order and with repetitions."""
    pairs = st.tuples(st.integers(0, 30), st.none() | st.integers(0, 10))
    told = draw(st.lists(pairs, max_size=12))
    return [(at(start), None if end is None else at(start + end)) for start, end in told]


def gathered(told: Facts) -> dict[datetime, datetime | None]:
    tellings: dict[datetime, datetime | None] = {}
    for start, end in told:
        tellings = episodes.add(tellings, start, end)
    return tellings


@given(facts(), st.randoms())
def test_the_order_means_nothing(told: Facts, random: Random) -> None:
    """The same tellings give the same outages, in any order and however often."""
    shuffled = [*told, *told[:3]]
    random.shuffle(shuffled)
    assert episodes.episodes(gathered(shuffled)) == episodes.episodes(gathered(told))


@given(facts())
def test_outages_do_not_overlap(told: Facts) -> None:
    """Each begins when the one before it is over, and only the last one may fire."""
    tellings = gathered(told)
    found = episodes.episodes(tellings)
    assert sorted(start for one in found for start in one.starts) == sorted(tellings)
    for before, after in pairwise(found):
        assert before.end is not None
        assert before.end <= after.starts[0]


@given(facts())
def test_what_is_stored_is_read_again(told: Facts) -> None:
    """A row holds what was told to the microsecond."""
    tellings = gathered(told)
    assert episodes.read(episodes.write(tellings)) == tellings


def test_an_outage_told_with_another_start_goes_on() -> None:
    """Until an end is told it is one; the end of the first makes the second one of its own."""
    tellings = gathered([(at(0), None), (at(5), None)])
    assert episodes.episodes(tellings) == (Episode((at(0), at(5)), None),)
    tellings = episodes.add(tellings, at(0), at(3))
    assert episodes.episodes(tellings) == (Episode((at(0),), at(3)), Episode((at(5),), None))


def test_a_moment_is_as_exact_as_the_list_of_alertmanager() -> None:
    """Webhook and list tell the same start, the one to the nanosecond, the other not."""
    told = datetime.fromisoformat("2026-03-01T01:00:00.123999+01:00")
    assert episodes.exact(told) == datetime.fromisoformat("2026-03-01T00:00:00.123+00:00")
