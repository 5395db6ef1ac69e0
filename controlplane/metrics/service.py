"""Keep thresholds."""

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor
from controlplane.devices.models import Device
from controlplane.errors import NotFound
from controlplane.metrics import queries, thresholds
from controlplane.metrics.models import DeviceThreshold, Threshold
from controlplane.metrics.schemas import ThresholdRead
from controlplane.metrics.thresholds import InForce, Key, Source


async def in_force(session: AsyncSession, device: Device | None) -> dict[Key, InForce]:
    """Give every threshold in force for a device, or for all devices without one of their own."""
    own = list(await session.scalars(queries.for_device(device.id))) if device else []
    return thresholds.in_force(
        {Key(t.metric, t.severity): t.value for t in await session.scalars(queries.for_all())},
        {Key(t.metric, t.severity): t.value for t in own},
    )


async def put(
    session: AsyncSession, actor: Actor, device: Device | None, key: Key, value: float
) -> ThresholdRead:
    """Set a threshold for a device or for all; warning must stay below critical."""
    await events.changed(session)
    source = Source.DEVICE if device else Source.ALL
    known = await in_force(session, device)
    wanted = {**known, key: InForce(value, source)}
    thresholds.check(wanted, key.metric)
    row: Threshold | DeviceThreshold
    if device is None:
        row = Threshold(metric=key.metric, severity=key.severity, value=value)
    else:
        row = DeviceThreshold(
            device_id=device.id, metric=key.metric, severity=key.severity, value=value
        )
    await session.merge(row)
    await session.flush()
    await _record(session, actor, device, key, before=known[key], after=wanted[key])
    return ThresholdRead(metric=key.metric, severity=key.severity, value=value, source=source)


async def remove(session: AsyncSession, actor: Actor, device: Device | None, key: Key) -> None:
    """Take back what was set, so that the next wider threshold counts again."""
    await events.changed(session)
    row: Threshold | DeviceThreshold | None
    if device is None:
        row = await session.get(Threshold, key)
    else:
        row = await session.get(DeviceThreshold, (device.id, *key))
    if row is None:
        whose = f"device {device.name!r}" if device else "all devices"
        raise NotFound(f"no {key.severity.value} {key.metric.value} is set for {whose}")
    before = (await in_force(session, device))[key]
    await session.delete(row)
    await session.flush()
    after = await in_force(session, device)
    thresholds.check(after, key.metric)
    await _record(session, actor, device, key, before=before, after=after[key])


def read(in_force: dict[Key, InForce]) -> list[ThresholdRead]:
    """Give thresholds as people see them."""
    return [
        ThresholdRead(metric=key.metric, severity=key.severity, value=value, source=source)
        for key, (value, source) in in_force.items()
    ]


async def _record(
    session: AsyncSession,
    actor: Actor,
    device: Device | None,
    key: Key,
    *,
    before: InForce,
    after: InForce,
) -> None:
    whose = device.name if device else "all devices"
    await audit.record(
        session,
        Action.UPDATE,
        who=actor.who,
        object_type="threshold",
        object_id=device.id if device else None,
        object_name=f"{key.severity.value} {key.metric.value} of {whose}",
        before=before._asdict(),
        after=after._asdict(),
    )
