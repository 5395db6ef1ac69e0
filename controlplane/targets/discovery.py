"""The lists that Prometheus discovers its targets from (docs/architecture.md, 4.2).

Prometheus keeps its old targets when we answer with an error, and drops them when we answer with
fewer: every doubt is an error here.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.devices import queries
from controlplane.errors import Unavailable
from controlplane.settings import Settings
from controlplane.targets import sharding

MARGIN_SECONDS = 1.0  # between the end of a scrape at the latest and the next one


def builder(settings: Settings) -> Callable[[AsyncSession], Awaitable[Mapping[int, bytes]]]:
    """Make the function that builds the list of each shard, as JSON."""
    shards = [str(shard) for shard in range(settings.shards)]

    async def build(session: AsyncSession) -> Mapping[int, bytes]:
        lists: dict[int, list[object]] = {int(shard): [] for shard in shards}
        for device in await session.execute(queries.labelled()):
            shard = int(sharding.choose(device.name, shards))
            lists[shard].append(group(settings, device))
        counted = (await session.execute(queries.count_monitored())).scalar_one()
        if sum(map(len, lists.values())) != counted:
            raise Unavailable(f"the lists do not hold the {counted} devices of the inventory")
        return {shard: json.dumps(groups).encode() for shard, groups in lists.items()}

    return build


def group(settings: Settings, device: Any) -> dict[str, object]:
    """Make the target group of a device: its name, never its address or a secret."""
    labels = {
        "device": device.name,
        "site": device.site or "",
        "role": device.role,
        "vendor": device.vendor,
        "__meta_chm_exporter": sharding.choose(device.name, settings.exporters),
        "__scrape_interval__": duration(settings.scrape_interval),
        "__scrape_timeout__": duration(timeout(settings.scrape_interval)),
    }
    return {
        "targets": [device.name],
        "labels": {name: value for name, value in labels.items() if value},
    }


def timeout(interval: float) -> float:
    """Give the time a scrape may take, in seconds: always less than the interval."""
    return interval - min(MARGIN_SECONDS, interval / 10)


def duration(seconds: float) -> str:
    """Write seconds as Prometheus reads durations: `15s`, `1500ms`."""
    milliseconds = max(1, int(seconds * 1000))
    whole, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{whole}s"
