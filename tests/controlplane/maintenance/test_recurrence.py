"""When windows are open: time zones, summer time, rules."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.maintenance import recurrence
from controlplane.maintenance.recurrence import Plan

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
RULES = (
    *("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU", "FREQ=MONTHLY"),
    *("FREQ=MONTHLY;BYDAY=1SU,-1FR", "FREQ=YEARLY", "FREQ=DAILY;UNTIL=20300101T000000"),
)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(plan: Plan, after: str, before: str) -> list[str]:
    found = plan.occurrences(utc(after), utc(before))
    return [f"{o.start:%m-%dT%H:%M}" for o in found]


def test_once() -> None:
    """A window without a rule is open once, and asked about later it is none."""
    plan = Plan(wall("2026-06-01T22:00"), 2 * HOUR, "Europe/Berlin")
    assert starts(plan, "2026-01-01", "2027-01-01") == ["06-01T20:00"]
    assert starts(plan, "2026-06-01T21:59", "2026-06-01T22:00") == ["06-01T20:00"]
    assert starts(plan, "2026-06-01T22:00", "2027-01-01") == [], "the end is no part of it"
    assert starts(plan, "2026-01-01", "2026-06-01T20:00") == [], "nor is what comes later"


def test_the_clock_on_the_wall_counts() -> None:
    """At two every Sunday is at two, in winter and in summer."""
    plan = Plan(wall("2026-03-22T02:00"), HOUR, "Europe/Berlin", "FREQ=WEEKLY")
    assert starts(plan, "2026-03-20", "2026-04-06") == ["03-22T01:00", "03-29T01:00", "04-05T00:00"]


def test_days_that_are_left_out() -> None:
    """On such a day on the wall it does not start, also where that is another day in UTC."""
    days = frozenset(wall(f"2026-06-{day}T00:00").date() for day in ("02", "04"))
    plan = Plan(wall("2026-06-01T00:30"), HOUR, "Europe/Berlin", "FREQ=DAILY", days)
    assert starts(plan, "2026-05-31", "2026-06-05") == ["05-31T22:30", "06-02T22:30", "06-04T22:30"]


def test_a_start_that_the_clock_skips_comes_an_hour_later() -> None:
    """Half past two does not exist on the night of the change; the window is open all the same."""
    plan = Plan(wall("2026-03-28T02:30"), HOUR, "Europe/Berlin", "FREQ=DAILY")
    berlin = [
        o.start.astimezone(ZoneInfo("Europe/Berlin")).strftime("%d %H:%M")
        for o in plan.occurrences(utc("2026-03-27"), utc("2026-03-31"))
    ]
    assert berlin == ["28 02:30", "29 03:30", "30 02:30"]


def test_a_start_that_comes_twice_is_taken_once() -> None:
    """In the night that has half past two twice, the first of the two opens the window."""
    plan = Plan(wall("2026-10-24T02:30"), HOUR, "Europe/Berlin", "FREQ=DAILY")
    assert starts(plan, "2026-10-24T20:00", "2026-10-26") == ["10-25T00:30"]


def test_the_duration_is_exact() -> None:
    """Three hours of work take three hours, also over a change of the clock."""
    plan = Plan(wall("2026-03-29T01:00"), 3 * HOUR, "Europe/Berlin")
    (found,) = plan.occurrences(utc("2026-03-28"), utc("2026-03-30"))
    assert found.end - found.start == 3 * HOUR


def test_until_is_on_the_same_clock() -> None:
    """The last occurrence is the one at UNTIL."""
    rule = "FREQ=DAILY;UNTIL=20260603T220000"
    plan = Plan(wall("2026-06-01T22:00"), HOUR, "America/New_York", rule)
    assert starts(plan, "2026-01-01", "2027-01-01") == ["06-02T02:00", "06-03T02:00", "06-04T02:00"]


def test_a_start_beside_its_own_rule_is_refused() -> None:
    """A window on Mondays cannot begin on a Tuesday: one of the two is a mistake."""
    with pytest.raises(ValueError, match="must itself be one"):
        Plan(wall("2026-06-02T22:00"), HOUR, "UTC", "FREQ=WEEKLY;BYDAY=MO")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("FREQ=SECONDLY", "FREQ cannot be"),
        ("FREQ=HOURLY", "FREQ cannot be"),
        ("BYDAY=MO", "FREQ says how often"),
        ("FREQ=DAILY;COUNT=3", "is none of"),
        ("FREQ=DAILY;BYHOUR=1", "is none of"),
        ("FREQ=DAILY;FREQ=DAILY", "twice"),
        ("FREQ=DAILY;UNTIL=20260101", "UNTIL cannot be"),
        ("FREQ=DAILY;UNTIL=20261301T000000", "time data"),
        ("FREQ=DAILY\n", "FREQ cannot be"),
        ("DTSTART:20260101T000000\nRRULE:FREQ=DAILY", "is none of"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY cannot be"),
    ],
)
def test_what_is_no_rule_is_refused(rule: str, reason: str) -> None:
    """Rules that repeat within a day, count, or are none get a reason."""
    with pytest.raises(ValueError, match=reason):
        recurrence.parse(rule)


@settings(deadline=None)
@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - wall clocks
    asked=st.datetimes(datetime(2020, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    minutes=st.integers(1, 40 * 24 * 60),
    zone=st.sampled_from(ZONES),
    rule=st.sampled_from(RULES),
)
def test_every_way_of_asking_gives_the_same(
    start: datetime, asked: datetime, minutes: int, zone: str, rule: str
) -> None:
    """Asked about a day, a rule gives what it gives of that day when asked about years.

    In order, each as long as planned, and each beginning at the time of the first on the wall
    unless the clock skips it.
    """
    start = start.replace(microsecond=0)
    try:
        plan = Plan(start, timedelta(minutes=minutes), zone, rule)
    except ValueError:
        return  # this start is beside its own rule
    years = list(plan.occurrences(asked - 400 * DAY, asked + 400 * DAY))
    day = list(plan.occurrences(asked, asked + DAY))
    assert day == [o for o in years if o.end > asked and o.start < asked + DAY]
    assert all(one.start < other.start for one, other in pairwise(years))
    for found in years:
        assert found.end - found.start == plan.duration
        local = found.start.astimezone(ZoneInfo(zone))
        skipped = local.replace(tzinfo=None, hour=start.hour, minute=start.minute)
        assert (
            local.time() == start.time()
            or skipped.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) == found.start
        )
