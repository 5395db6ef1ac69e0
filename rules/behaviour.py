"""What any rule set must do before it goes live, as a unit test for promtool.

Rules that parse can still be wrong together: a file of an operator that records over one of our
series, or an edited family, passes every check of syntax and tells of no outage. So each set plays
a short story of a small network: all is well and nobody is told; a switch dies and is named, once,
while what stands behind it is its symptom; it comes back and all is quiet.

It is about the order of what happens. Times of hours and days are cut (`shortened`): promtool would
play them evaluation by evaluation, for minutes.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rules.options import Change, Intent, duration
from rules.rendering import in_force
from rules.rule import Alert

WELL = 10  # steps before the outage
STEPS = 100  # an outage takes at most about as many until it is told, and until it is over
LONGEST = 240.0  # seconds of a step: a sample is forgotten after five minutes
LONGEST_TIME = STEPS * LONGEST
DEAD, BEHIND, OTHER = "core", "leaf", "other"
TOLD = {"DeviceDown": DEAD, "DeviceUnreachable": BEHIND}


def shortened(intent: Intent) -> Intent:
    """Give the intent whose rules the story is played to: no time of its alerts is longer."""
    changes = dict(intent.changes)
    for alert in in_force(intent):
        if alert.name in TOLD and max(_times(alert)) > LONGEST_TIME:
            hold, keep = (min(time, LONGEST_TIME) for time in _times(alert))
            changes[alert.name] = Change(hold, keep)
    return intent if changes == intent.changes else replace(intent, changes=changes)


def behaviour(intent: Intent) -> dict[str, Any]:
    """Give the story as the `tests` of promtool, without the rule files that it is played to.

    They are those of the `shortened` intent. It follows what was changed about its alerts: of
    those that are switched off nothing is asked.
    """
    alerts = [alert for alert in in_force(intent) if alert.name in TOLD]
    hold, keep = map(max, zip((0, 0), *map(_times, alerts), strict=True))
    step = min(LONGEST, max(intent.sample_interval, hold / STEPS, keep / STEPS))
    slack = 4  # joins and records come one by one
    down, over = (math.ceil(time / step) + slack for time in (hold, keep))
    answers = f"1x{WELL - 1} 0x{down} 1x{over + 1}"
    told = [_sample(alert.name, TOLD[alert.name]) for alert in alerts]
    moments = {WELL - 1: [], WELL + down: told, WELL + down + over: []}
    firing = f'ALERTS{{alertstate="firing", alertname=~"{"|".join(TOLD)}"}}'
    return {
        "evaluation_interval": duration(step),
        "tests": [
            {
                "interval": duration(step),
                "input_series": [
                    {"series": name, "values": values}
                    for name, values in _network(answers, WELL + down + over + 2)
                ],
                "promql_expr_test": [
                    {
                        "expr": f"count by (alertname, device) ({firing})",
                        "eval_time": duration(at * step),
                        "exp_samples": samples,
                    }
                    for at, samples in moments.items()
                ],
            }
        ],
    }


def _times(alert: Alert) -> tuple[float, float]:
    return alert.hold or 0, alert.keep or 0


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
