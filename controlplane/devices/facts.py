"""What devices say of themselves, learned from Prometheus; what an operator has set stays as it is.

The exporter's `chm_device_info` says it with every probe. Known facts stay while Prometheus is down
or a device is silent.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.clients.prometheus import Prometheus, Refused, Sample
from controlplane.devices import names, queries
from controlplane.devices.models import FACTS, DeviceFacts, FactChange
from controlplane.devices.references import READ, TOLD
from controlplane.devices.schemas import FactChangeRead, FactsRead
from controlplane.errors import Unavailable

log = logging.getLogger(__name__)

# "CHML": one worker learns at a time. A lock of the queue would stay with a worker that died.
TURN = 1128811852
LOCK = text(f"SELECT pg_try_advisory_xact_lock({TURN})")
SOURCE = 'timestamp(chm_device_info{job="chm-devices"})'  # the value is when it was said
LONGEST = 255  # characters of a fact
CONFIRMED = timedelta(minutes=5)  # how often it is written down that nothing has changed
SHOWN, KEPT = 10, 50  # changes of a device; one with two faces would fill the table
BATCH = 1000  # rows of one statement

NOTES = {
    "vendor": "another vendor",
    "model": "another model: replaced?",
    "os_version": "other software",
    "serial": "another serial number: replaced?",
    "sys_name": "another name",
    "profile": "asked by another profile",
}


@dataclass(frozen=True)
class Said:
    """What a device said last: its facts, empty where it did not tell."""

    at: datetime
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Learner:
    """What learning takes: where facts are kept, and who has heard them."""

    sessions: async_sessionmaker[AsyncSession]
    prometheus: Prometheus

    async def learn(self) -> None:
        """Take up what devices have said; without an answer of Prometheus all stays as it is."""
        try:
            samples = await self.prometheus.query(SOURCE)
        except (Refused, Unavailable) as error:
            log.warning("facts about devices were not learned: %s", error.detail)
            return
        async with self.sessions.begin() as session:
            if await session.scalar(LOCK):
                await take_up(session, samples)


async def take_up(session: AsyncSession, samples: Iterable[Sample]) -> None:
    """Keep what devices of the inventory have said, and note what has changed."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.labels.get("device", ""), []).append(sample)
    devices = (await session.execute(queries.vendors(by_name))).tuples().all()
    facts = await session.scalars(queries.facts([device for device, _, _ in devices]))
    known = {entry.device_id: entry for entry in facts}
    others = await names.passed_on(session)
    rows, changes = [], []
    for device, name, vendor in devices:
        if name in others:
            continue
        newest = max(by_name[name], key=lambda sample: sample.value)
        heard, before = said(newest, vendor), known.get(device)
        if before is not None and heard.at <= before.last_seen:
            continue
        after = merged(before, heard)
        noted = differences(before, after)
        if before is None or noted or _told_more(before, after) or _due(before, heard):
            first = before.first_seen if before else heard.at
            seen = {"first_seen": first, "last_seen": heard.at}
            rows.append({"device_id": device, **after, **seen})
        for fact, was in noted.items():
            log.info("%s says that its %s is %r, not %r", name, fact, after[fact], was)
            about = {"device_id": device, "at": heard.at, "field": fact}
            changes.append({**about, "before": was, "after": after[fact]})
    await _write(session, rows, changes)


def said(sample: Sample, vendor: str) -> Said:
    """Return what a sample of `SOURCE` says of a device whose vendor an operator may have set.

    A label that the target has is kept, and the device's own then is called `exported_`.
    """
    labels = sample.labels
    facts = {name: labels.get(f"exported_{name}") or labels.get(name, "") for name in FACTS}
    if "exported_vendor" not in labels and facts["vendor"] == vendor:
        facts["vendor"] = ""  # the operator's word; the device itself says nothing
    cleaned = {name: text.replace("\0", "")[:LONGEST] for name, text in facts.items()}
    return Said(datetime.fromtimestamp(sample.value, UTC), cleaned)


def merged(known: DeviceFacts | None, heard: Said) -> dict[str, str]:
    """Return the facts to keep: one that a device does not tell for once stays, if it is the same.

    A device is another one where its serial number or its profile is.
    """
    facts = dict(heard.facts)
    if known is None or facts["profile"] != known.profile:
        return facts
    if known.serial and facts["serial"] not in {"", known.serial}:
        return facts
    return {name: text or getattr(known, name) for name, text in facts.items()}


def differences(known: DeviceFacts | None, facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts that were known to be others, and what they were."""
    if known is None:
        return {}
    before = {name: getattr(known, name) for name in FACTS}
    return {name: was for name, was in before.items() if was and was != facts[name]}


def _told_more(known: DeviceFacts, facts: Mapping[str, str]) -> bool:
    return any(getattr(known, name) != text for name, text in facts.items())


def _due(known: DeviceFacts, heard: Said) -> bool:
    return heard.at - known.last_seen >= CONFIRMED


async def _write(
    session: AsyncSession,
    rows: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]],
) -> None:
    for start in range(0, len(rows), BATCH):
        statement = insert(DeviceFacts).values(rows[start : start + BATCH])
        new = {name: statement.excluded[name] for name in (*FACTS, "last_seen")}
        await session.execute(
            statement.on_conflict_do_update(index_elements=["device_id"], set_=new)
        )
    if changes:
        for start in range(0, len(changes), BATCH):
            await session.execute(insert(FactChange).values(changes[start : start + BATCH]))
        changed = {change["device_id"] for change in changes}
        await session.execute(delete(FactChange).where(queries.beyond(changed, KEPT)))


async def read(session: AsyncSession, rows: Collection[Row[Any]]) -> dict[UUID, FactsRead]:
    """Give what is known of the devices in these rows of `references`, as people see it."""
    changes = await _changes(session, [row.id for row in rows if row.changed])
    told = {row[0]: dict(zip(TOLD, row[len(READ) :], strict=False)) for row in rows}
    return {
        row[0]: FactsRead(
            **told[row[0]],
            disagrees=_disagreements(row, told[row[0]]),
            changes=changes.get(row[0], []),
        )
        for row in rows
        if told[row[0]]["last_seen"] is not None
    }


async def _changes(
    session: AsyncSession, devices: Collection[UUID]
) -> dict[UUID, list[FactChangeRead]]:
    changes: dict[UUID, list[FactChangeRead]] = {}
    if not devices:
        return changes
    for change in await session.scalars(queries.fact_changes(devices, SHOWN)):
        shown = FactChangeRead(**change.model_dump(), note=NOTES[change.field])
        changes.setdefault(change.device_id, []).append(shown)
    return changes


def _disagreements(row: Row[Any], told: Mapping[str, str]) -> list[str]:
    """Name the fields that an operator has set to something else than the device says."""
    pairs = (
        ("vendor", row.vendor, told["vendor"]),
        ("profile", row.profile or "", told["profile"]),
        ("serial", row.serial, told["serial"]),
        ("name", row.name, told["sys_name"]),
    )
    return [field for field, ours, theirs in pairs if differ(ours, theirs)]


def differ(ours: str, theirs: str) -> bool:
    """Say whether two texts mean different things; `Cisco Systems` and `cisco` do not."""
    if not ours or not theirs or ours == theirs:
        return False
    one, other = ours.casefold(), theirs.casefold()
    return not (one.startswith(other) or other.startswith(one))
