"""What any rule set must do before it goes live, as a unit test for promtool.

Rules that parse can still be wrong together: a file of an operator that records over one of our
series, or an edited family, passes every check of syntax and tells of no outage. So each set plays
a short story of a small network: all is well and nobody is told; a switch dies and is named, once,
while what stands behind it is its symptom; it comes back and all is quiet.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from rules.options import Intent, duration

WELL = 10  # scrapes before the outage
TOLD = 'ALERTS{alertstate="firing", alertname=~"DeviceDown|DeviceUnreachable|DeviceUnknown"}'
DEAD, BEHIND, OTHER = "core", "leaf", "other"


def behaviour(intent: Intent) -> dict[str, Any]:
    """Give the story as the `tests` of promtool, without the rule files that it is played to."""
    scrape = intent.scrape_interval
    slack = math.ceil(4 * intent.sample_interval / scrape)  # joins and records come one by one
    down = math.ceil(intent.confirm_for / scrape) + slack
    over = math.ceil(intent.keep_for / scrape) + slack
    answers = f"1x{WELL - 1} 0x{down} 1x{over + 1}"
    moments = {
        WELL - 1: (),
        WELL + down: (("DeviceDown", DEAD), ("DeviceUnreachable", BEHIND)),
        WELL + down + over: (),
    }
    return {
        "evaluation_interval": duration(intent.evaluation_interval),
        "tests": [
            {
                "interval": duration(scrape),
                "input_series": [
                    {"series": name, "values": values}
                    for name, values in _network(answers, WELL + down + over + 2)
                ],
                "promql_expr_test": [
                    {
                        "expr": f"count by (alertname, device) ({TOLD})",
                        "eval_time": duration(at * scrape),
                        "exp_samples": [_sample(alert, device) for alert, device in told],
                    }
                    for at, told in moments.items()
                ],
            }
        ],
    }


def _network(answers: str, scrapes: int) -> Iterator[tuple[str, str]]:
    """Yield the series of three devices, two of which answer as told, and of a stack that runs."""
    always = f"1x{scrapes}"
    for job in ("chm-intent", "chm-controlplane", "chm-exporter", "chm-alertmanager"):
        yield _series("up", job=job, instance=job), always
    for device in (DEAD, BEHIND, OTHER):
        labels = {"device": device, "site": "lab", "role": "core", "vendor": "Cisco"}
        scraped = {**labels, "job": "chm-devices", "instance": device}
        yield _series("chm_inventory_device_info", **labels, job="chm-intent"), always
        yield _series("up", **scraped), always
        yield _series("chm_device_up", **scraped), always if device == OTHER else answers
    yield _series("chm_topology_parent", device=BEHIND, parent=DEAD, job="chm-intent"), always


def _series(name: str, **labels: str) -> str:
    return f"{name}{{{','.join(f'{key}={json.dumps(value)}' for key, value in labels.items())}}}"


def _sample(alert: str, device: str) -> Mapping[str, Any]:
    return {"labels": f'{{alertname="{alert}", device="{device}"}}', "value": 1}
