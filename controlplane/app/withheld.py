"""What service discovery holds back, as intent, for the alert that tells of it."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.metrics.exposition import Family, Sample
from controlplane.targets import gate


async def intent(session: AsyncSession) -> Iterable[Family]:
    """Say how many devices would vanish from Prometheus, if that keeps their list from it."""
    state = await gate.status(session)
    help_text = "Devices that would vanish from Prometheus, while the lists are withheld for it."
    value = float(len(state.lost)) if state.withheld else 0.0
    return [Family("chm_targets_withheld_devices", help_text, [Sample(value)])]
