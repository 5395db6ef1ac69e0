"""What rules ask of ports, as `chm_interface_*`: made of the columns of IF-MIB (RFC 2863).

A rule reads every series of a name before it can leave one out, and joins them one by one. So what
takes one look at a port (which counter, which speed, is it down) is said here, and of ports that
have nothing to tell nothing is said.
"""

from collections.abc import Iterable, Iterator, Mapping

from exporter.metrics import Family, Number, family

UP, DISABLED = 1, 2
LINKLESS = (2, 6, 7)  # down, notPresent, lowerLayerDown: such a port counts nothing
MILLION = 1_000_000
KINDS = {"Errors": "chm_interface_errors_total", "Discards": "chm_interface_discards_total"}

Column = Mapping[str, Number]
"""The numbers of a column by the label blocks of their ports."""


def families(found: Iterable[Family]) -> list[Family]:
    """Return what is to be said of the ports that a device tells of."""
    columns: dict[str, dict[str, Number]] = {}
    for made in found:
        if made.name.startswith("if"):
            columns.setdefault(made.name, {}).update(zip(made.blocks, made.numbers, strict=True))
    if not (states := columns.get("ifOperStatus")):
        return []
    linked = {block for block, state in states.items() if state not in LINKLESS}
    told = {
        name: {block: number for block, number in column.items() if block in linked}
        for name, column in columns.items()
    }
    amount = family("chm_interfaces")
    amount.add(len(states))
    wanted = columns.get("ifAdminStatus", {})
    return [amount, *_not_up(states, wanted), _busy(told), *_packets(told)]


def _not_up(states: Column, wanted: Column) -> Iterator[Family]:
    """Yield the ports that are not up though they are switched on, and those switched off."""
    down, disabled = family("chm_interface_down"), family("chm_interface_disabled")
    for block, state in states.items():
        if wanted.get(block) == DISABLED:
            disabled.blocks.append(block)
            disabled.numbers.append(1)
        elif state != UP and wanted.get(block) == UP:
            down.blocks.append(block)
            down.numbers.append(state)
    yield from (down, disabled)


def _busy(told: Mapping[str, Column]) -> Family:
    """Return for how long ports would have been busy at their full speed."""
    busy = family("chm_interface_busy_seconds_total")
    speeds = _above_zero(told.get("ifSpeed", {}))
    speeds |= {b: n * MILLION for b, n in _above_zero(told.get("ifHighSpeed", {})).items()}
    for direction in ("In", "Out"):
        for block, octets in _best(told, direction, "Octets").items():
            if (speed := speeds.get(block)) is not None:
                labels = f'direction="{direction.lower()}",{block[1:-1]},speed="{speed:.0f}"'
                busy.blocks.append(f"{{{labels}}}")
                busy.numbers.append(round(8 * octets / speed, 6))
    return busy


def _packets(told: Mapping[str, Column]) -> Iterator[Family]:
    """Yield the packets that ports damaged or dropped, and of those ports alone the others."""
    bad = {name: family(name) for name in KINDS.values()}
    good = family("chm_interface_packets_total")
    for direction in ("In", "Out"):
        touched: set[str] = set()
        for kind, name in KINDS.items():
            column = _above_zero(told.get(f"if{direction}{kind}", {}))
            _directed(bad[name], direction, column)
            touched |= column.keys()
        multicast, broadcast = (
            told.get(f"ifHC{direction}{kind}Pkts", {}) for kind in ("Multicast", "Broadcast")
        )
        unicast = _best(told, direction, "UcastPkts")
        sums = {
            block: number + multicast.get(block, 0) + broadcast.get(block, 0)
            for block, number in unicast.items()
            if block in touched
        }
        _directed(good, direction, sums)
    yield from bad.values()
    yield good


def _best(told: Mapping[str, Column], direction: str, what: str) -> Column:
    """Return the counters of 64 bits, and where a port has none those of 32."""
    return {**told.get(f"if{direction}{what}", {}), **told.get(f"ifHC{direction}{what}", {})}


def _above_zero(column: Column) -> dict[str, Number]:
    return {block: number for block, number in column.items() if number > 0}


def _directed(made: Family, direction: str, column: Column) -> None:
    start = f'{{direction="{direction.lower()}",'
    made.blocks += [start + block[1:] for block in column]
    made.numbers += column.values()
