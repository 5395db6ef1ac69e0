"""What devices tell of their interfaces, read from series of the IF-MIB (RFC 2863)."""

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from string import Template
from types import MappingProxyType

from controlplane import grammar
from controlplane.clients.prometheus import Sample
from controlplane.devices.interfaces.models import LONGEST, AdminStatus, OperStatus

# One answer with all that is told of some devices, without the labels that each series repeats.
SOURCE = Template("""\
max by (__name__, device, ifIndex, ifName, ifDescr, ifAlias, ifType, ifPhysAddress) (
  {job="chm-devices", device=~$devices, __name__=~"$names"}
)
or
min by (__name__, device) (chm_collector_success{job="chm-devices", device=~$devices})""")
WHOLE = "chm_collector_success"
STATES = ("ifAdminStatus", "ifOperStatus")
SPEEDS = ("ifHighSpeed", "ifSpeed")
WORDS = ("ifType", "ifPhysAddress")
NAMES = (*STATES, *SPEEDS, "ifType_info", "ifPhysAddress")

ADMIN: Mapping[float, AdminStatus] = MappingProxyType(
    dict(enumerate((AdminStatus.UP, AdminStatus.DOWN, AdminStatus.TESTING), 1))
)
OPER: Mapping[float, OperStatus] = MappingProxyType(dict(enumerate(OperStatus, 1)))
MOST_INDEX = 2**31 - 1  # InterfaceIndex
DIGITS = len(str(MOST_INDEX)) + 1  # with one more it is beyond all of them
MOST_SPEED = 2**63 - 1
UNPRINTABLE = re.compile(f"[{grammar.UNPRINTABLE}]")


@dataclass(frozen=True)
class Port:
    """What a device tells of one interface."""

    name: str
    index: int
    alias: str
    type: str
    speed: int
    mac: str
    admin_status: AdminStatus
    oper_status: OperStatus


@dataclass
class Told:
    """What a device tells: its interfaces by name, and whether it told all it was asked."""

    ports: dict[str, Port] = field(default_factory=dict)
    whole: bool = False


@dataclass
class _Row:
    """What series of one index say."""

    labels: Mapping[str, str]
    values: dict[str, float] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def source(devices: Collection[str]) -> str:
    """Give the expression of all that is told of the interfaces of these devices."""
    pattern = json.dumps("|".join(re.escape(name) for name in devices))
    return SOURCE.substitute(devices=pattern, names="|".join(NAMES))


def told(samples: Iterable[Sample], most: int) -> dict[str, Told]:
    """Read samples of `source`, by device; of each device the `most` lowest indexes.

    Of interfaces with one name that of the lowest index counts.
    """
    devices: dict[str, Told] = {}
    rows: dict[str, dict[int, _Row]] = {}
    for sample in samples:
        labels = sample.labels
        name, device = labels.get("__name__", ""), labels.get("device", "")
        if name == WHOLE:
            devices.setdefault(device, Told()).whole = sample.value == 1
            continue
        index = _number(labels.get("ifIndex", ""))
        row = rows.setdefault(device, {}).setdefault(index, _Row(labels))
        row.values[name] = sample.value
        row.words |= {word: labels[word] for word in WORDS if word in labels}
    for device, by_index in rows.items():
        ports = devices.setdefault(device, Told()).ports
        for index in sorted(by_index)[:most]:
            port = _port(index, by_index[index])
            ports.setdefault(port.name, port)
    return devices


def _port(index: int, row: _Row) -> Port:
    labels, values = row.labels, row.values
    name = labels.get("ifName") or labels.get("ifDescr") or str(index)
    return Port(
        name=_text(name),
        index=index,
        alias=_text(labels.get("ifAlias", "")),
        type=_text(row.words.get("ifType", ""))[:64],
        speed=_speed(values),
        mac=_text(row.words.get("ifPhysAddress", ""))[:64],
        admin_status=ADMIN.get(values.get("ifAdminStatus", 0), AdminStatus.UNKNOWN),
        oper_status=OPER.get(values.get("ifOperStatus", 0), OperStatus.UNKNOWN),
    )


def _speed(values: Mapping[str, float]) -> int:
    """Give bits per second: ifSpeed ends at 4.29 Gb/s, so it counts where ifHighSpeed is 0."""
    fast = values.get("ifHighSpeed", 0.0) * 1e6
    speed = fast if fast > 0 else values.get("ifSpeed", 0.0)
    return int(speed) if math.isfinite(speed) and 0 <= speed < MOST_SPEED else 0


def _number(text: str) -> int:
    number = int(text[:DIGITS]) if text.isdecimal() else 0
    return number if number <= MOST_INDEX else 0


def _text(text: str) -> str:
    """Make a text of a device fit to be stored and shown: no terminal obeys it, and it ends."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)[:LONGEST]
