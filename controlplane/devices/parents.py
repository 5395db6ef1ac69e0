"""Which device stands behind which: a graph that must stay without cycles."""

from collections.abc import Collection, Mapping


def cycle(parents: Mapping[str, Collection[str]]) -> list[str] | None:
    """Find a way that leads back to its start, as `[a, b, a]`; None when there is none.

    `parents` maps each device to its parents. Depth first without recursion: a long chain of
    devices must not reach the limit of Python's stack.
    """
    finished: set[str] = set()
    for start in parents:
        way: dict[str, None] = {}  # the current path, in order
        stack = [(start, iter(parents[start]))] if start not in finished else []
        while stack:
            device, remaining = stack[-1]
            way[device] = None
            for parent in remaining:
                if parent in way:
                    path = list(way)
                    return [*path[path.index(parent) :], parent]
                if parent not in finished:
                    stack.append((parent, iter(parents.get(parent, ()))))
                    break
            else:
                stack.pop()
                del way[device]
                finished.add(device)
    return None
