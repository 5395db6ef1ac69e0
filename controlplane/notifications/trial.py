"""Test a channel: a real notification through Alertmanager to that channel alone.

Alertmanager counts attempts and failures by integration, and by receiver where it is started with
`--enable-feature=receiver-name-in-metrics` (0.26 and later). It gives the reason of a failure to
nobody but its log, so we know it only where that is on this machine.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor
from controlplane.clients.notifier import Attempts, Deliveries, Notifier
from controlplane.database import now
from controlplane.errors import Busy, Conflict
from controlplane.notifications import queries, reasons, receivers, service
from controlplane.notifications.destinations import Destinations
from controlplane.notifications.kinds import Kind
from controlplane.notifications.models import RoutingRevision, RoutingStatus
from controlplane.notifications.receivers import receiver
from controlplane.notifications.routing import TEST_ALERT, TEST_CHANNEL, TEST_ID
from controlplane.notifications.schemas import Result, TestRead
from controlplane.settings import Settings
from controlplane.vault import Vault

POLL = 0.25
EXPLAIN_POLLS = 4
LIFETIME = timedelta(minutes=1)  # then it is resolved, and an incident it opened is closed
# "CHMT": one test at a time, or nobody could say whose attempt was counted.
LOCK = text("SELECT pg_try_advisory_xact_lock(1128811860)")


@dataclass(frozen=True)
class Place:
    """Where a test happens: with what settings, secrets and Alertmanager; times are in seconds."""

    settings: Settings
    vault: Vault
    destinations: Destinations
    notifier: Notifier
    patience: float = 20  # until something was tried
    in_force: float = 15  # until Alertmanager knows the channel as it was written last

    @property
    def log(self) -> Path:
        """The log of the Alertmanager that `chm up` runs; another one's is not here."""
        return self.settings.data / "logs" / "alertmanager.log"


@dataclass(frozen=True)
class Trial:
    """A test of one channel, which is named by its id; `section` is that of its receiver."""

    channel: str
    section: str
    by: str
    id: str

    @property
    def integration(self) -> str:
        """What Alertmanager calls the way to this kind of channel."""
        return self.section.removesuffix("_configs")

    @property
    def labels(self) -> dict[str, str]:
        """What leads the alert to this channel and to no other."""
        return {
            "alertname": TEST_ALERT,
            "severity": "info",
            TEST_CHANNEL: self.channel,
            TEST_ID: self.id,
        }

    @property
    def annotations(self) -> dict[str, str]:
        """What people read."""
        return {
            "summary": f"Test of channel {self.channel}",
            "description": f"{self.by} tests this channel. Nothing is wrong.",
        }


async def run(session: AsyncSession, actor: Actor, place: Place, name: str) -> TestRead:
    """Send a test and see what comes of it; Conflict where the channel is not in force."""
    options = await _options(session, place, name)
    if not await session.scalar(LOCK):
        raise Busy("another channel is being tested", retry_after=5)
    await _until_in_force(session, place, name)
    test = Trial(name, options.section, actor.name, secrets.token_hex(8))
    logged = reasons.size(place.log)
    result = await send(place.notifier, test, place.patience)
    if result.result in {Result.FAILED, Result.UNCLEAR}:
        result = await _explained(place, options, test, result, logged)
    await audit.record(
        session,
        Action.CHANNEL_TESTED,
        who=actor.who,
        object_type="channel",
        object_name=name,
        after={"result": result.result},
    )
    return result


async def _explained(
    place: Place, options: Kind, test: Trial, result: TestRead, logged: int
) -> TestRead:
    """Give the reason of a failure where Alertmanager's log is at hand; it comes a little later."""
    for _ in range(EXPLAIN_POLLS):
        secret = options.secrets().values()
        words = await asyncio.to_thread(
            reasons.since, place.log, logged, receiver(test.channel), secret
        )
        if words:
            return result.model_copy(update={"result": Result.FAILED, "detail": words})
        await asyncio.sleep(POLL)
    return result


async def send(notifier: Notifier, trial: Trial, patience: float) -> TestRead:
    """Tell the alert of a test, and wait until something was tried or patience ends."""
    started = time.monotonic()

    async def look() -> Deliveries:
        return await notifier.deliveries(trial.integration, receiver(trial.channel))

    before = await look()
    await notifier.tell(trial.labels, trial.annotations, now() + LIFETIME)
    after = await _attempted(look, before, patience)
    added = after.attempts.since(before.attempts)
    if added.tried:
        result, detail = judge(trial, added, exact=after.exact)
    else:
        result, detail = await _nothing(notifier, trial, patience)
    return TestRead(result=result, detail=detail, seconds=round(time.monotonic() - started, 2))


def judge(trial: Trial, added: Attempts, *, exact: bool) -> tuple[Result, str]:
    """Say what attempts mean, and in words; they are others', too, where not `exact`."""
    others = "" if exact else f" Other notifications by {trial.integration} are counted, too."
    if not added.failed:
        return Result.DELIVERED, f"The service at the other end took it.{others}"
    if added.failed >= added.tried:
        return Result.FAILED, (
            "The service at the other end did not take it, or could not be reached; "
            f"the log of Alertmanager says why.{others}"
        )
    return Result.UNCLEAR, (
        f"Of {added.tried:g} notifications by {trial.integration} at that moment "
        f"{added.failed:g} failed; try again when it is quiet."
    )


async def _options(session: AsyncSession, place: Place, name: str) -> Kind:
    """Look up a channel, and once more where it leads to."""
    of_settings = {c.name: c for c in receivers.of_settings(place.settings.notify_webhooks)}
    if name in of_settings:
        return of_settings[name].options
    if service.is_built_in(name):
        raise Conflict("the inbox needs no test: who asks reads it")
    options = service.opened(place.vault, await service.get(session, name))
    await place.destinations.check(options)
    return options


async def _until_in_force(session: AsyncSession, place: Place, name: str) -> None:
    """Return when Alertmanager runs the channel as it was written last."""
    deadline = time.monotonic() + place.in_force
    changed_at = await session.scalar(queries.changed_at(name))
    statement = queries.newest().execution_options(populate_existing=True)
    while True:
        last = await session.scalar(statement)
        if last is not None and name in last.left_out:
            raise Conflict(f"the channel cannot be used here: {last.left_out[name]}")
        if last is not None and _is_newer(last, changed_at):
            return
        if time.monotonic() > deadline:
            said = "" if last is None else f"; the last attempt to tell it: {last.detail}"
            raise Conflict(f"Alertmanager does not know the channel as it is now{said}")
        await asyncio.sleep(POLL)


def _is_newer(last: RoutingRevision, changed_at: datetime | None) -> bool:
    """Say whether Alertmanager runs what was wanted after a moment."""
    runs = last.status is RoutingStatus.DEPLOYED and last.running
    return runs and (changed_at is None or last.confirmed_at >= changed_at)


async def _attempted(
    look: Callable[[], Awaitable[Deliveries]], before: Deliveries, patience: float
) -> Deliveries:
    """Give the counts once something was tried, or when patience ends.

    Alertmanager reads its counters one after the other: an attempt may be seen before its failure.
    What is told is therefore what a second look finds.
    """
    deadline, seen = time.monotonic() + patience, False
    while True:
        after = await look()
        if seen or time.monotonic() > deadline:
            return after
        seen = after.attempts.since(before.attempts).tried > 0
        await asyncio.sleep(POLL)


async def _nothing(notifier: Notifier, trial: Trial, patience: float) -> tuple[Result, str]:
    """Say why nothing was tried, as far as can be known."""
    silences = await notifier.silenced_by(TEST_ID, trial.id)
    if silences:
        return Result.MUTED, f"A silence covers the test: {', '.join(silences)}."
    return Result.UNCLEAR, (
        f"Nothing came back within {patience:g} s: "
        "the other end does not answer, or Alertmanager is busy."
    )
