"""A port that goes up and down all the time, on the whole stack: people are told that, once."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import LAB_DEVICES
from tests.e2e.running import Stack, eventually, running_stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DEVICE = "access1"
DOWN_SECONDS = 7  # at QUICK's pace long enough to be an outage each time
SETTLED = 12  # seconds after which what was under way when flapping began was told
HOSTS = f'ifOperStatus{{device="{DEVICE}",ifAlias=~"host .+"}} == 1'


@pytest.fixture(scope="module")
def flapping() -> Iterator[Stack]:
    """Give a stack of its own, where flapping is six changes within a minute."""
    with (
        tempfile.TemporaryDirectory(prefix="chm-e2e-") as folder,
        running_stack(Path(folder), "--demo", CHM_FLAP_WINDOW="60") as stack,
    ):
        eventually(lambda: len(stack.up()) >= LAB_DEVICES, 90, "every lab device up")
        yield stack


def told(stack: Stack, alertname: str, port: str) -> list[tuple[float, str]]:
    """Give when people were told what of the port."""
    alerts = stack.receiver.alerts(alertname=alertname, device=DEVICE, ifName=port)
    return [(when, alert["status"]) for when, alert in alerts]


def changes_since(stack: Stack, port: str, moment: float) -> int:
    """Count how often Prometheus saw the port change after a moment."""
    seconds = int(time.time() - moment)
    if seconds < 1:
        return 0
    query = f'changes(ifOperStatus{{device="{DEVICE}",ifName="{port}"}}[{seconds}s])'
    return max((int(float(s["value"][1])) for s in stack.query(query)), default=0)


def test_a_port_that_flaps(flapping: Stack) -> None:
    """Its single transitions are told until it is seen to flap; then that, and its end, once."""
    stack = flapping
    port = eventually(lambda: stack.query(HOSTS), 90, "ports")[0]["metric"]["ifName"]
    scenario = f"{stack.url('lab_http')}/devices/{DEVICE}/scenarios/flap"
    flap = {"port": port, "period": DOWN_SECONDS}
    httpx.post(scenario, json=flap).raise_for_status()
    eventually(lambda: told(stack, "InterfaceFlapping", port), 150, "told that it flaps")
    began = told(stack, "InterfaceFlapping", port)[0][0]
    eventually(lambda: changes_since(stack, port, began + SETTLED) >= 6, 150, "more changes")
    httpx.delete(scenario).raise_for_status()
    eventually(lambda: len(told(stack, "InterfaceFlapping", port)) > 1, 150, "told of the end")
    fires = f"alerts?status=firing&device={DEVICE}"
    eventually(lambda: not stack.statuses(fires), 120, "nothing that fires")

    assert [status for _, status in told(stack, "InterfaceFlapping", port)] == [
        "firing",
        "resolved",
    ]
    single = told(stack, "InterfaceDown", port)
    assert [s for when, s in single if when > began + SETTLED and s == "firing"] == []
    assert [s for _, s in single] == ["firing", "resolved"] * (len(single) // 2)
    assert single  # it was an outage each time, and would have been told as one
