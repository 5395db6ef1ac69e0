"""What stands behind devices: only what can be reached no other way."""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from uuid import UUID


def behind(devices: Collection[UUID], parents: Mapping[UUID, Collection[UUID]]) -> set[UUID]:
    """Give what is cut off when all of `devices` are: every way to it leads through them.

    `parents` maps a device to its ways, as alternatives. A device of two ways of which one stays
    is not behind: when it falls silent, that is news.
    """
    children: defaultdict[UUID, list[UUID]] = defaultdict(list)
    ways = {device: len(set(above)) for device, above in parents.items()}
    for device, above in parents.items():
        for parent in set(above):
            children[parent].append(device)
    cut = set(devices)
    waiting = deque(cut)
    while waiting:
        for child in children[waiting.popleft()]:
            ways[child] -= 1
            if ways[child] == 0 and child not in cut:
                cut.add(child)
                waiting.append(child)
    return cut - set(devices)
