"""How long a violation takes to somebody's webhook, in the whole stack with 1,000 devices.

Two ways: a threshold rule without `for`, from the scrape of the first sample above the threshold
to the receipt; and a linkDown trap, from the moment the port is taken down to the receipt. The
stack is `chm up` with its defaults; the rule is one of the operator's, evaluated every two seconds,
and a route without a group wait, and with a group for each device, tells the webhook.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

from tests.e2e.running import Stack, eventually, running_stack

DEVICES = int(os.environ.get("DEVICES", "1000"))
MEASURED = 40  # devices that violate, of each kind
TARGET_SECONDS = {"threshold": 5.0, "trap": 1.0}
PERCENT = 97  # of the processor, while a device violates
CHOSEN = {
    "CHM_SCRAPE_INTERVAL": "60",
    "CHM_SD_REFRESH_INTERVAL": "10",
    "CHM_EVALUATION_INTERVAL": "15",
    "CHM_DOWN_FOR": "120",
    "CHM_GROUP_WAIT": "5",
    "CHM_GROUP_INTERVAL": "30",
    "CHM_MANAGEMENT_NETWORKS": "127.0.0.0/8",
}
ROUTE = {
    "position": 1,
    "channels": ["settings-1"],
    "alertnames": ["BenchHot", "InterfaceDown"],
    "group_by": ["alertname", "device"],
    "group_wait": 0,
    "stop": True,
}
RULES = """\
groups:
- name: bench
  interval: 2s
  rules:
  - alert: BenchHot
    expr: max by (device, site, role, vendor) (chm_cpu_utilization_ratio) > 0.9
    labels: {severity: critical, alertclass: symptom}
    annotations: {summary: "hot"}
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="chm-bench-") as folder:
        data = Path(folder) / "data"
        (data / "rules.local").mkdir(parents=True)
        (data / "rules.local" / "bench.yml").write_text(RULES)
        Path(folder).chmod(0o711)  # PostgreSQL runs as a user of its own
        with running_stack(data, **CHOSEN) as stack, lab(stack):
            prepare(stack)
            measured = {"threshold": thresholds(stack), "trap": traps(stack)}
    print(f"{DEVICES} devices, {MEASURED} violations of each kind; scrapes every 60 s, the rule")
    print("every 2 s, group wait 0 s; seconds to the receipt at a webhook:")
    failed = [kind for kind, seconds in measured.items() if not report(kind, seconds)]
    sys.exit(bool(failed))


@contextmanager
def lab(stack: Stack) -> Iterator[None]:
    """Run the simulated devices, which send their traps to the exporter of the stack."""
    ports = stack.ports
    command = (
        *(sys.executable, "-m", "lab", "serve", "--devices=none", f"--bulk={DEVICES}"),
        *(f"--http=127.0.0.1:{ports['lab_http']}", f"--snmp-port={ports['lab_snmp']}"),
        f"--traps=127.0.0.1:{ports['traps']}",
    )
    with subprocess.Popen(command) as process:
        try:
            eventually(lambda: answers(f"{stack.url('lab_http')}/-/healthy"), 60, "a lab")
            yield
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


def prepare(stack: Stack) -> None:
    """Have the devices polled, and the route in force."""
    document = httpx.get(f"{stack.url('lab_http')}/inventory", timeout=60).json()
    answer = stack.api("POST", "devices/import", document)
    if not answer.is_success:
        raise SystemExit(answer.text[:2000])
    answer = stack.api("PUT", "notifications/routes/bench", ROUTE)
    if not answer.is_success:
        raise SystemExit(answer.text[:2000])
    eventually(lambda: "BenchHot" in running_configuration(stack), 120, "the route in force")
    eventually(lambda: len(stack.up()) >= DEVICES * 0.99, 600, f"{DEVICES} devices up")
    time.sleep(60)  # a scrape more of each, so that a port is known to have been up


def running_configuration(stack: Stack) -> str:
    status = httpx.get(f"{stack.url('alertmanager')}/api/v2/status").json()
    return str(status["config"]["original"])


def scenario(stack: Stack, device: str, name: str, arguments: dict[str, Any]) -> None:
    url = f"{stack.url('lab_http')}/devices/{device}/scenarios/{name}"
    httpx.post(url, content=json.dumps(arguments)).raise_for_status()


def receipt(stack: Stack, alertname: str, device: str) -> float:
    """Return when the webhook heard first of an alert, 0 if not yet."""
    heard = stack.receiver.alerts(alertname=alertname, device=device)
    return min((when for when, _ in heard), default=0.0)


def thresholds(stack: Stack) -> list[float]:
    devices = sorted(stack.up())[:MEASURED]
    for device in devices:
        scenario(stack, device, "cpu-hot", {"percent": PERCENT})
    for device in devices:
        eventually(lambda d=device: receipt(stack, "BenchHot", d), 180, f"told of {device}")  # type: ignore[misc]
    return [receipt(stack, "BenchHot", device) - violated(stack, device) for device in devices]


def violated(stack: Stack, device: str) -> float:
    """Return the time of the scrape that brought the first sample above the threshold."""
    found = stack.query(f'chm_cpu_utilization_ratio{{device="{device}"}}[10m]')
    return min(float(at) for one in found for at, value in one["values"] if float(value) > 0.9)  # noqa: PLR2004 - as in RULES


def traps(stack: Stack) -> list[float]:
    found = stack.query('ifOperStatus{ifAlias=~"host .*"} == 1')
    ports = {series["metric"]["device"]: series["metric"]["ifName"] for series in found}
    took = []
    for device in sorted(ports)[-MEASURED:]:
        started = time.time()
        scenario(stack, device, "link-down", {"port": ports[device]})
        eventually(lambda d=device: receipt(stack, "InterfaceDown", d), 60, f"told of {device}")  # type: ignore[misc]
        took.append(receipt(stack, "InterfaceDown", device) - started)
    return took


def report(kind: str, seconds: Sequence[float]) -> bool:
    """Print a line; return whether it is as fast as promised."""
    worst = quantiles(seconds, n=20)[-1]
    kept = worst < TARGET_SECONDS[kind]
    print(
        f"{kind:>10}: median {median(seconds):.3f}  p95 {worst:.3f}  max {max(seconds):.3f}"
        f"  (p95 below {TARGET_SECONDS[kind]:g}: {'yes' if kept else 'NO'})"
    )
    return kept


if __name__ == "__main__":
    main()
