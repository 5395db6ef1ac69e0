"""When an alert would have fired: by hand, and as promtool and a real Prometheus have it."""

import random
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import rules
from controlplane.clients.prometheus import Prometheus
from controlplane.database import now
from controlplane.provisioning.alerting_rules import preview
from controlplane.provisioning.alerting_rules.preview import Past
from controlplane.provisioning.alerting_rules.simulation import Firing, firings
from tests.controlplane.provisioning.alerting_rules.backfill import with_samples
from tests.tools import tool

MINUTE, LENGTH = 60, 120
DEVICES = ("core1", "core2", "edge1", "edge2")
INTENT = rules.Intent("https://chm.example.net", evaluation_interval=60, scrape_interval=60)


@pytest.mark.parametrize(
    ("there", "hold", "keep", "expected"),
    [
        ([], 0, 0, []),
        ([2], 0, 0, [(2, 3)]),
        ([2, 3, 4], 2, 0, [(4, 5)]),
        ([2, 3, 5, 6], 2, 0, []),
        ([2, 3, 4, 6], 2, 0, [(4, 5)]),
        ([2, 3, 4, 6], 2, 2, [(4, 9)]),
        ([2, 3, 4], 2, 3, [(4, 8)]),
        ([2, 5], 1, 5, []),
        ([8, 9], 0, 0, [(8, None)]),
    ],
)
def test_by_hand(
    there: list[int], hold: int, keep: int, expected: list[tuple[int, int | None]]
) -> None:
    """Ten evaluations: a gap ends what is pending, and outlives nothing that never fired."""
    assert list(firings(there, range(10), hold, keep)) == [Firing(*pair) for pair in expected]


def runs(seed: int) -> list[float]:
    """Make values that stay above or below the limit for a while, as chance has it."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    values: list[float] = []
    while len(values) < LENGTH:
        values += [chance.choice([0.0, 10.0])] * chance.randint(1, 7)
    return values[:LENGTH]


def fires_at(past: Past, alert: rules.Alert) -> dict[int, list[str]]:
    """Give the devices for which the simulation fires at each minute."""
    found = preview.outcomes(past, alert)
    begin = past.times[-1] - (LENGTH - 1) * MINUTE
    return {
        minute: [
            device
            for device in DEVICES
            if device in found
            and any(
                f.start <= begin + minute * MINUTE and (f.end is None or at_end(f, begin, minute))
                for f in found[device].firings
            )
        ]
        for minute in range(LENGTH)
    }


def at_end(firing: Firing, begin: float, minute: int) -> bool:
    return firing.end is not None and begin + minute * MINUTE < firing.end


@pytest.mark.parametrize(("hold", "keep"), [(0, 0), (180, 0), (0, 120), (120, 180), (60, 60)])
async def test_as_promtool_has_it(tmp_path: Path, hold: int, keep: int) -> None:
    """What the real Prometheus gives for the past fires, simulated, as `promtool test rules` says.

    Every minute of two hours is compared, for four devices with values made by chance.
    """
    alert = rules.Alert("Loud", "loud > 5", "warning", "symptom", "loud", "", hold, keep)
    values = {device: runs(hold + 7 * keep + number) for number, device in enumerate(DEVICES)}
    end = now().timestamp() // MINUTE * MINUTE
    begin = end - (LENGTH - 1) * MINUTE
    past = {
        f'loud{{device="{device}"}}': [
            (begin + number * MINUTE, value) for number, value in enumerate(of)
        ]
        for device, of in values.items()
    }
    server = with_samples(tmp_path, past)
    async with server.running(), Prometheus.at(server.url) as prometheus:
        found = await preview.look_back(prometheus, alert, timedelta(hours=3), MINUTE)
    seen = Past(tuple(at for at in found.times if begin <= at <= end), found.series)

    verdict = promtool(tmp_path, alert, values, fires_at(cut(seen, end), alert))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    wrong = fires_at(cut(seen, end), alert) | {LENGTH // 2: ["nobody"]}
    assert promtool(tmp_path, alert, values, wrong).returncode != 0


def cut(past: Past, end: float) -> Past:
    """Leave out a minute that has begun since the samples were made."""
    return Past(
        tuple(at for at in past.times if at <= end),
        {labels: [at for at in there if at <= end] for labels, there in past.series.items()},
    )


def promtool(
    folder: Path, alert: rules.Alert, values: dict[str, list[float]], firing: dict[int, list[str]]
) -> "subprocess.CompletedProcess[str]":
    (folder / "rules.yml").write_text(rules.written([alert], INTENT))
    expected: list[dict[str, Any]] = [
        {
            "expr": 'count by (device) (ALERTS{alertstate="firing"})',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{device="{device}"}}', "value": 1} for device in devices],
        }
        for minute, devices in firing.items()
    ]
    series = [
        {"series": f'loud{{device="{device}"}}', "values": " ".join(f"{v:g}" for v in of)}
        for device, of in values.items()
    ]
    test = {
        "rule_files": [str(folder / "rules.yml")],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": expected}],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(test))
    return subprocess.run(
        [tool("promtool"), "test", "rules", str(folder / "test.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
