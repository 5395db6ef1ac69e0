"""Who is on call: turns, layers, overrides, and the nights in which the clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from controlplane.escalation.rotation import Hours, Layer, Override, Rota

PEOPLE = ("ann", "bob", "cy")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago")
MONDAY = date(2026, 1, 5)
WORKDAYS = frozenset(range(5))
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rota(*layers: Layer, zone: str = "Europe/Berlin", overrides: tuple[Override, ...] = ()) -> Rota:
    return Rota(zone, layers, overrides)


def weekly(people: tuple[str, ...] = PEOPLE, hours: Hours | None = None) -> Layer:
    return Layer(people, MONDAY, 7, time(9), hours)


def test_turns_are_handed_over_on_the_wall_clock() -> None:
    """Every Monday at nine the next one begins, in winter and in summer, round and round."""
    who = rota(weekly()).who
    assert who(utc("2026-01-05T07:59")) is None, "before the first turn nobody is"
    assert who(utc("2026-01-05T08:00")) == "ann"
    assert who(utc("2026-01-12T07:59")) == "ann"
    assert who(utc("2026-01-12T08:00")) == "bob"
    assert who(utc("2026-01-26T08:00")) == "ann"
    assert who(utc("2026-03-30T06:59")) == "cy"
    assert who(utc("2026-03-30T07:00")) == "ann"


def test_a_layer_above_counts_in_its_hours() -> None:
    """In the hours of the day team it is the day team, else whoever has the week."""
    day = Layer(("dora",), MONDAY, 1, time(8), Hours(WORKDAYS, time(8), time(18)))
    who = rota(weekly(), day, zone="UTC").who
    assert who(utc("2026-01-06T07:59")) == "ann"
    assert who(utc("2026-01-06T08:00")) == "dora"
    assert who(utc("2026-01-06T18:00")) == "ann"
    assert who(utc("2026-01-10T12:00")) == "ann", "it is Saturday"


def test_whoever_stands_in_comes_first() -> None:
    """An override counts from its start until its end, over all layers; the newer one wins."""
    stands_in = Override("eve", utc("2026-01-06T12:00"), utc("2026-01-06T20:00"))
    newer = Override("fay", utc("2026-01-06T13:00"), utc("2026-01-06T14:00"))
    who = rota(weekly(), overrides=(stands_in, newer)).who
    asked = ("11:59", "12:00", "13:00", "14:00", "20:00")
    found = [who(utc(f"2026-01-06T{at}")) for at in asked]
    assert found == ["ann", "eve", "fay", "eve", "ann"]


def test_a_turn_handed_over_in_the_hour_that_comes_twice() -> None:
    """At half past two of that night the turn is handed over once, and not back."""
    daily = Layer(("ann", "bob"), date(2026, 10, 24), 1, time(2, 30))
    turns = rota(daily).turns(utc("2026-10-24T12:00"), utc("2026-10-26T00:00"))
    assert [(f"{turn.start:%dT%H:%M}", turn.person) for turn in turns] == [
        ("24T12:00", "ann"),
        ("25T00:30", "bob"),
    ]


hours = st.one_of(
    st.none(),
    st.builds(
        lambda days, start, length: Hours(
            frozenset(days), time(start), time(min(start + length, 24) % 24)
        ),
        st.sets(st.integers(0, 6), min_size=1),
        st.integers(0, 23),
        st.integers(1, 24),
    ),
)
layers = st.builds(
    Layer,
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3).map(tuple),
    st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    st.integers(1, 14),
    st.times().map(lambda at: at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)),
    hours,
)


@given(
    zone=st.sampled_from(ZONES),
    above=st.lists(layers, max_size=2),
    days=st.integers(1, 14),
    handover=st.sampled_from([time(h, m) for h in range(24) for m in (0, 30)]),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    offsets=st.lists(st.integers(0, 3 * 24 * 60), max_size=20),
)
def test_exactly_one_person_is_on_call(  # noqa: PLR0917 - what hypothesis chooses
    zone: str,
    above: list[Layer],
    days: int,
    handover: time,
    day: date,
    offsets: list[int],
) -> None:
    """Of a schedule with a layer that always counts, one person is on call at any time.

    The turns cover the time without gap or overlap, and say what `who` says at each moment.
    """
    always = Layer(PEOPLE, date(2024, 1, 1), days, handover)
    schedule = Rota(zone, (always, *above))
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    turns = schedule.turns(start, start + 3 * DAY)
    assert (turns[0].start, turns[-1].end) == (start, start + 3 * DAY)
    assert all(one.end == other.start for one, other in pairwise(turns))
    assert all(one.person != other.person for one, other in pairwise(turns))
    for minutes in offsets:
        moment = start + timedelta(minutes=minutes)
        person = schedule.who(moment)
        assert person in PEOPLE
        if moment < start + 3 * DAY:
            (turn,) = [turn for turn in turns if turn.start <= moment < turn.end]
            assert turn.person == person


@given(
    zone=st.sampled_from(ZONES),
    days=st.integers(1, 3),
    handover=st.sampled_from([time(h, m) for h in range(24) for m in (0, 30)]),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_turns_are_as_long_as_they_should_be(
    zone: str, days: int, handover: time, day: date
) -> None:
    """No turn is shorter or longer than its days by more than the clock was changed."""
    layer = Layer(PEOPLE, date(2024, 1, 1), days, handover)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    turns = Rota(zone, (layer,)).turns(start, start + 12 * DAY)
    for turn in turns[1:-1]:
        length = turn.end - turn.start
        shift = turn.end.astimezone(ZoneInfo(zone)).utcoffset()
        assert shift is not None
        assert abs(length - days * DAY) <= timedelta(hours=1)
