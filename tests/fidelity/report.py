"""The results device by device, as a table for people."""

from collections.abc import Iterator, Sequence

from tests.fidelity.comparison import Device, totals
from tests.fidelity.expectation import KINDS

GOAL = 0.98  # of the expected values that must be present


def lines(devices: Sequence[Device]) -> Iterator[str]:
    """Yield the table, what is missing or contradicted, and the exceptions with their reasons."""
    head = "".join(f"{kind:>12}" for kind in KINDS)
    yield f"{'device':24}{head}{'missing':>10}{'contradicted':>14}{'excepted':>10}{'samples':>9}"
    for device in devices:
        yield _row(device)
    counted, present, contradicted = totals(devices)
    share = present / counted if counted else 1
    yield ""
    yield f"{present} of {counted} expected values are present: {share:.1%} (goal {GOAL:.0%})"
    yield f"{contradicted} are contradicted (goal 0)"
    for device in devices:
        yield from _details(device)


def good(devices: Sequence[Device]) -> bool:
    """Return whether enough is present and nothing contradicted."""
    counted, present, contradicted = totals(devices)
    return present >= GOAL * counted and not contradicted


def _row(device: Device) -> str:
    cells = ""
    for kind in KINDS:
        expected = sum(result.expected.kind == kind for result in device.results)
        expected -= device.count("excepted", kind)
        cell = f"{device.count('present', kind)}/{expected}" if expected else "-"
        cells += f"{cell:>12}"
    missing, wrong = device.count("missing"), device.count("contradicted")
    excepted = device.count("excepted")
    return f"{device.name:24}{cells}{missing:>10}{wrong:>14}{excepted:>10}{device.told:>9}"


def _details(device: Device) -> Iterator[str]:
    for result in device.results:
        if result.verdict in {"missing", "contradicted"}:
            yield f"{device.name}: {result.verdict}: {result.expected} ({result.detail})"
    reasons: dict[str, int] = {}
    for result in device.results:
        if result.verdict == "excepted":
            reasons[result.detail] = reasons.get(result.detail, 0) + 1
    for reason, count in reasons.items():
        yield f"{device.name}: {count} excepted: {reason}"
