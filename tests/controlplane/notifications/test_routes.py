"""Routes over HTTP: kept as they were written, refused where they make no sense."""

from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.notifications.routing import RoutePlan, interval, matcher, node
from controlplane.notifications.schemas import Quiet, RouteOptions
from tests.controlplane.notifications.test_channels import SLACK, create, places

URL = "/api/v1/notifications/routes"
NIGHT = {
    "position": 10,
    "channels": ["inbox", "noc"],
    "severities": ["critical"],
    "sites": ["oslo"],
    "quiet": [{"days": ["saturday"], "start": "22:00", "end": "06:00", "time_zone": "Europe/Oslo"}],
    "repeat_interval": 3600.0,
}


async def test_a_route_is_kept_as_it_was_written(client: AsyncClient) -> None:
    """What was put is what is shown, in the order of positions; putting it again changes it."""
    await create(client, SLACK)
    written = await client.put(f"{URL}/night", json=NIGHT)
    assert written.status_code == 200, written.text
    assert (await client.put(f"{URL}/day", json=NIGHT | {"position": 5})).status_code == 200

    kept = (await client.get(f"{URL}/night")).json()
    assert NIGHT.items() <= kept.items()
    assert [route["name"] for route in (await client.get(URL)).json()] == ["day", "night"]
    await client.put(f"{URL}/night", json={"channels": ["inbox"], "stop": True})
    changed = (await client.get(f"{URL}/night")).json()
    assert (changed["channels"], changed["stop"], changed["sites"]) == (["inbox"], True, [])


def test_a_team_is_any_text() -> None:
    """What people call their team is matched as it is, whatever characters it has."""
    options = RouteOptions.model_validate({"teams": ["North (24/7)", 'a"b'], "group_by": ["team"]})
    tree = node(RoutePlan("teams", ("inbox",), options))

    assert tree["matchers"][0] == matcher("team", ["North (24/7)", 'a"b'])
    assert r"North\\ \\(24/7\\)" in tree["matchers"][0]
    assert tree["group_by"] == ["team"]


async def test_two_writers(client: AsyncClient) -> None:
    """The second one learns that what they saw is no more, or is not there any more."""
    body = {"channels": ["inbox"]}
    made = await client.put(f"{URL}/night", json=body)
    assert made.headers["etag"] == (await client.get(f"{URL}/night")).headers["etag"] == '"1"'
    seen = {"If-Match": '"1"'}
    written = await client.put(f"{URL}/night", json=body, headers=seen)
    assert (written.headers["etag"], written.json()["version"]) == ('"2"', 2)
    for late in (
        await client.put(f"{URL}/night", json=body, headers=seen),
        await client.delete(f"{URL}/night", headers=seen),
    ):
        assert (late.status_code, late.headers["etag"]) == (412, '"2"')
    await client.delete(f"{URL}/night", headers={"If-Match": '"2"'})
    assert (await client.put(f"{URL}/night", json=body, headers=seen)).status_code == 412


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"channels": ["nobody-there"]}, "/channels/0"),
        ({"channels": []}, "/channels"),
        ({"quiet": [{"start": "25:00", "end": "06:00"}]}, "/quiet/0/start"),
        (
            {"quiet": [{"start": "22:00", "end": "06:00", "time_zone": "Mars"}]},
            "/quiet/0/time_zone",
        ),
        ({"sites": ['a"} or {b=']}, "/sites/0"),
        ({"alertnames": ["Down|.*\n"]}, "/alertnames/0"),
        ({"severities": ["none"]}, "/severities/0"),
        ({"group_by": ["ifAlias"]}, "/group_by/0"),
        ({"severity": "critical"}, "/severity"),
    ],
)
async def test_what_makes_no_route_is_refused(
    client: AsyncClient, change: dict[str, Any], place: str
) -> None:
    """A channel that is not there, an hour that is none, a text that could end a matcher."""
    response = await client.put(f"{URL}/night", json={"channels": ["inbox"]} | change)
    assert places(response) == [place]


def test_values_are_words_in_a_matcher() -> None:
    """Dots and pluses of a name match themselves and nothing else."""
    assert matcher("site", ["a.b"]) == 'site="a.b"'
    assert matcher("site", ["a.b", "c+d"]) == r'site=~"a\\.b|c\\+d"'


def test_hours_across_midnight_belong_to_the_day_they_begin_on() -> None:
    """From Sunday 22:00 to 06:00 is Sunday evening and Monday morning."""
    quiet = Quiet(days=["sunday"], start="22:00", end="06:00", time_zone="Europe/Oslo")
    spans = interval(RoutePlan("night", ("a",), RouteOptions(quiet=[quiet])))["time_intervals"]

    assert [(span["weekdays"], span["times"]) for span in spans] == [
        (["sunday"], [{"start_time": "22:00", "end_time": "24:00"}]),
        (["monday"], [{"start_time": "00:00", "end_time": "06:00"}]),
    ]
    assert {span["location"] for span in spans} == {"Europe/Oslo"}


@pytest.mark.parametrize(
    ("start", "end", "spans"),
    [("00:00", "24:00", 1), ("08:00", "08:00", 2), ("22:00", "00:00", 1), ("24:00", "06:00", 1)],
)
def test_hours_at_the_edge_of_a_day(start: str, end: str, spans: int) -> None:
    """No span is empty, which Alertmanager would refuse."""
    quiet = Quiet(start=start, end=end)
    found = interval(RoutePlan("edge", ("a",), RouteOptions(quiet=[quiet])))["time_intervals"]
    assert len(found) == spans
    assert all(s["times"][0]["start_time"] < s["times"][0]["end_time"] for s in found)


def test_several_channels_are_told_each_by_itself() -> None:
    """One that fails does not keep the other from being told, and quiet hours hold for each."""
    route = RoutePlan("night", ("a", "b"), RouteOptions(quiet=[Quiet(start="22:00", end="06:00")]))
    assert node(route)["routes"] == [
        {"receiver": f"channel-{name}", "mute_time_intervals": ["quiet-night"], "continue": True}
        for name in ("a", "b")
    ]
