"""Which exporter asks a device: of those nearest to its site, by rendezvous hashing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from controlplane.errors import Unavailable
from controlplane.targets import sharding

HOLDERS = 2  # how many know a device: whoever asks it, and who would if that one were not there


@dataclass(frozen=True)
class Member:
    """An exporter as devices are shared out to it."""

    name: str
    address: str
    site: UUID | None = None
    weight: int = 1
    draining: bool = False
    registered: bool = True


@dataclass(frozen=True)
class Assignment:
    """The exporters, and the tree of sites as parents by site."""

    members: tuple[Member, ...]
    parents: Mapping[UUID, UUID | None]

    def owner(self, device: str, site: UUID | None) -> Member:
        """Give the exporter that asks a device, or raise Unavailable where there is none."""
        return self.holders(device, site)[0]

    def holders(self, device: str, site: UUID | None) -> list[Member]:
        """Give the exporters that must know a device, the one that asks it first.

        The second takes over when the first goes, and was the first before that one came; so does
        one that is drained know what it would ask. Nobody is sent to an exporter that does not
        know the device yet, or no longer.
        """
        key = device, site
        if key not in self._known:
            self._known[key] = self._choose(device, site)
        return self._known[key]

    def _choose(self, device: str, site: UUID | None) -> list[Member]:
        pool, drained = self._pool(site)
        if len(pool) + len(drained) <= 1:
            return list(pool)

        def score(member: Member) -> tuple[float, str]:
            return sharding.score(device, member.address, member.weight), member.address

        first = sorted(pool, key=score, reverse=True)[:HOLDERS]
        if not drained:
            return first
        least = score(first[-1]) if len(first) == HOLDERS else (0.0, "")
        return first + [member for member in drained if score(member) > least]

    def _pool(self, site: UUID | None) -> tuple[list[Member], list[Member]]:
        """Give the exporters that may ask devices of a site, and those that drain there."""
        if site not in self._pools:
            self._pools[site] = self._nearest(site), self._reaching(site, draining=True)
        return self._pools[site]

    @cached_property
    def _pools(self) -> dict[UUID | None, tuple[list[Member], list[Member]]]:
        return {}

    @cached_property
    def _known(self) -> dict[tuple[str, UUID | None], list[Member]]:
        return {}

    def _nearest(self, site: UUID | None) -> list[Member]:
        active = self._reaching(site, draining=False)
        for place in self._up(site):
            if found := [member for member in active if member.site == place]:
                return found
        everywhere = [member for member in self.members if not member.draining]
        if not everywhere:
            raise Unavailable("there is no exporter that is not draining")
        return everywhere  # better asked from far away than not at all

    def _reaching(self, site: UUID | None, *, draining: bool) -> list[Member]:
        """Give the exporters at a site, above it, or everywhere."""
        places = set(self._up(site))
        return [m for m in self.members if m.draining is draining and m.site in places]

    def _up(self, site: UUID | None) -> Iterator[UUID | None]:
        while site is not None:
            yield site
            site = self.parents[site]
        yield None
