"""The lists that Prometheus discovers its targets from (docs/architecture.md, 4.2).

Prometheus keeps its old targets when we answer with an error, and drops them when we answer with
fewer: every doubt is an error here.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane import database, events
from controlplane.devices import queries
from controlplane.errors import NotFound, Unavailable
from controlplane.settings import Settings
from controlplane.targets import gate, sharding
from controlplane.targets.exporters import service as exporters
from controlplane.targets.exporters.assignment import Assignment

log = logging.getLogger(__name__)

MARGIN_SECONDS = 1.0  # between the end of a scrape at the latest and the next one


@dataclass(frozen=True)
class Lists:
    """The list of each shard, as JSON, and whether they may be served."""

    of: Mapping[int, bytes]
    verdict: gate.Verdict
    exporters: bytes  # the exporters themselves, for their own metrics

    def serve(self, shard: int) -> bytes:
        """Give the list of a Prometheus server, or raise NotFound or Unavailable."""
        if shard not in self.of:
            raise NotFound(f"there is no shard {shard}, only 0 to {len(self.of) - 1}")
        if self.verdict.withheld:
            raise Unavailable(f"withheld: {self.verdict}")
        return self.of[shard]


def builder(
    settings: Settings, sessions: async_sessionmaker[AsyncSession]
) -> Callable[[AsyncSession], Awaitable[Lists]]:
    """Make the function that builds the list of each shard."""
    shards = [str(shard) for shard in range(settings.shards)]

    sharing: Assignment | None = None
    groups: dict[tuple[object, ...], bytes] = {}  # as they were written last: most stay

    async def build(session: AsyncSession) -> Lists:
        nonlocal sharing, groups
        sharing = await exporters.assignment(session, settings, sharing)
        times = cache(partial(scrape_times, settings.scrape_interval))
        devices = await database.plain(session, queries.labelled())
        lists: dict[int, list[bytes]] = {int(shard): [] for shard in shards}
        before, groups = groups, {}
        for device in devices:
            shard = int(sharding.choose(device.name, shards)) if len(shards) > 1 else 0
            asked_by = sharing.owner(device.name, device.site_id).address
            key = *device, asked_by
            asked_when = times(device.interval, device.timeout)
            groups[key] = before.get(key) or to_json(group(device, asked_by, asked_when))
            lists[shard].append(groups[key])
        counted = await events.count(session)
        verdict = await gate.admit(sessions, [device.name for device in devices], counted)
        if verdict.withheld:
            log.error("targets withheld: %s", verdict)
        contents = {n: b"[" + b", ".join(written) + b"]" for n, written in lists.items()}
        addresses = [{"targets": [member.address for member in sharing.members]}]
        return Lists(contents, verdict, to_json(addresses))

    return build


def group(device: Any, exporter: str, times: Mapping[str, str]) -> dict[str, object]:
    """Make the target group of a device: its name, never its address or a secret."""
    labels = {
        "device": device.name,
        "site": device.site or "",
        "role": device.role,
        "vendor": device.vendor,
        "__meta_chm_exporter": exporter,
        **times,
    }
    return {
        "targets": [device.name],
        "labels": {name: value for name, value in labels.items() if value},
    }


def scrape_times(
    longest: float, interval: float | None = None, within: float | None = None
) -> Mapping[str, str]:
    """Give the labels by which a device is asked every so many seconds, as its poll class says.

    Without one it is asked at the longest interval, beyond which rules miss samples: a class that
    was made when that was longer is held to it.
    """
    seconds = min(interval or longest, longest)
    return {
        "__scrape_interval__": duration(seconds),
        "__scrape_timeout__": duration(min(within or seconds, timeout(seconds))),
    }


def timeout(interval: float) -> float:
    """Give the time a scrape may take, in seconds: always less than the interval."""
    return interval - min(MARGIN_SECONDS, interval / 10)


def duration(seconds: float) -> str:
    """Write seconds as Prometheus reads durations: `15s`, `1500ms`."""
    milliseconds = max(1, int(seconds * 1000))
    whole, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{whole}s"
