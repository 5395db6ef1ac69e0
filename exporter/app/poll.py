"""`POST /poll`: ask a device now, as a scrape would, and tell how each collector fared.

The body is JSON: `{"device": {...}, "auths": {...}}` with the fields of the snapshot, so a device
that is not monitored yet can be asked, too. The answer is a 200 whatever the device says. What the
body has under `families` comes back as a scrape would have it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from exporter import exposition
from exporter.app import orders
from exporter.app.exporter import Exporter
from exporter.config import Auth
from exporter.errors import ProtocolError
from exporter.inventory import Device, Token
from exporter.probe import Devices, Subject, explanation, look
from exporter.probe.look import IDENTITY, Look
from exporter.probe.outcomes import Outcome
from exporter.profiles import identify
from exporter.profiles.schema import Profile
from exporter.protocols.snmp import Target

PATH = "/poll"
SECONDS = 20.0  # that a device may take
LONGEST = 200  # characters of a text that comes from a device
NAMED = 3  # families that are told by name
LARGEST = 4 << 20  # bytes of an exposition


@dataclass(frozen=True, slots=True)
class Order:
    """A device, the auths that it names, and the families whose samples are wanted."""

    device: Device
    auths: dict[str, Auth]
    families: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fared:
    """How one collector fared: `ok`, or why not in a word and in words."""

    name: str
    outcome: str
    detail: str
    found: str
    seconds: float
    samples: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it: `ok` where the device answers, else the reason of the error.

    `exposition` are the families that were wanted, in the text format of a scrape.
    """

    outcome: str
    detail: str = ""
    seconds: float = 0.0
    auth: str = ""
    profile: str = ""
    collectors: list[Fared] = field(default_factory=list)
    exposition: str = ""


_ORDER = TypeAdapter(Order)


def endpoint(exporter: Exporter, token: Token) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint, which lets in whoever has the token."""
    return orders.endpoint(exporter, token, _ORDER, _poll)


async def _poll(exporter: Exporter, order: Order) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        seen = await _look(exporter, order)
    except ProtocolError as error:
        exporter.telemetry.probe_errors.labels(error.reason).inc()
        report = Report(error.reason, error.detail[:LONGEST], time.perf_counter() - started)
    else:
        profile = exporter.configuration.profiles[seen.profile]
        fared = [_fared(outcome, profile) for outcome in seen.outcomes]
        seconds = time.perf_counter() - started
        wanted = _exposition(seen, order.families)
        report = Report("ok", "", seconds, seen.auth, seen.profile, fared, wanted)
    return asdict(report)


def _exposition(seen: Look, wanted: Collection[str]) -> str:
    """Return some families as text; of a device that tells too much of them, none."""
    found = [made for made in seen.families() if made.name in wanted]
    body = exposition.render(found).body
    return body.decode() if len(body) <= LARGEST else ""


async def _look(exporter: Exporter, order: Order) -> Look:
    """Ask the device with a memory of its own: neither an open circuit nor a failure matters."""
    device = order.device
    target = Target(device.address, device.port)
    auths = {name: order.auths[name] for name in device.auths if name in order.auths}
    subject = Subject(str(target), target, auths, device.profile, device.modules)
    devices = Devices(replace(exporter.settings, replay_memory=0), exporter.telemetry)
    deadline = asyncio.get_running_loop().time() + SECONDS
    async with devices.turn(str(target), deadline) as state:
        return await look(devices, subject, state, exporter.configuration, deadline)


def _fared(outcome: Outcome, profile: Profile) -> Fared:
    return Fared(
        outcome.name,
        _word(outcome),
        explanation.reason(outcome)[:LONGEST],
        _found(outcome, profile)[:LONGEST],
        outcome.seconds,
        outcome.samples,
    )


def _word(outcome: Outcome) -> str:
    if outcome.unknown:
        return "unknown_module"
    if not outcome.needed:
        return "not_needed"
    if outcome.failure is not None:
        return outcome.failure.reason
    return "incomplete" if outcome.incomplete else "ok"


def _found(outcome: Outcome, profile: Profile) -> str:
    """Say what there is: who the device says it is, or the first families by name."""
    if outcome.name == IDENTITY:
        told = identify.facts(profile, outcome.answers)
        return ", ".join(text for text in told.values() if text)
    names = [made.name for made in outcome.families if made.blocks]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
