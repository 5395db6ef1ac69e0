from pathlib import Path

import pytest

from exporter.profiles.loader import Configuration
from tests.fidelity import recordings, report
from tests.fidelity.observation import explanation, page, parsed, playing, samples

GIVEN = recordings.given()
pytestmark = pytest.mark.fidelity


async def test_real_devices_are_told_as_another_poller_tells_them() -> None:
    """Nearly all that another poller found is there, and nothing contradicts it."""
    devices = await recordings.compared(GIVEN)

    assert report.good(devices), "\n".join(report.lines(devices))


@pytest.mark.parametrize("path", GIVEN, ids=lambda path: path.stem)
async def test_prometheus_gets_what_explain_shows(path: Path, configuration: Configuration) -> None:
    """The page of `module=auto` holds every sample that is explained, with the same value."""
    async with playing([path]) as targets:
        ((_, target),) = targets.items()
        told = list(samples(await explanation(target, configuration)))
        served = parsed(await page(target, configuration))

    assert {(each.family, each.labels): each.value for each in told}.items() <= served.items()
