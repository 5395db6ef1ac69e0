"""What a real device once answered, from a file in the `.snmprec` format of snmpsim.

A line is `OID|tag|value`: the tag is the number of the ASN.1 type, followed by `x` where the value
is in hexadecimal. A file that ends in `.bz2` is unpacked on the way.
"""

import bz2
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import ber
from lab.ber import Oid, Row
from lab.errors import BadRecording

IP_ADDRESS, OPAQUE = 0x40, 0x44
OFFSET = 128  # from the base address of the lab
_LINE = re.compile(rb"\.?(\d+(?:\.\d+)+)\|(\d+)(x?)(:\w+)?\|(.*)", re.DOTALL)


@dataclass(frozen=True)
class Recording:
    """A file to be played at an address of the lab, under the name of the file."""

    name: str
    address: str
    path: Path


def recordings(paths: Iterable[Path], base: str) -> list[Recording]:
    """Return recordings at consecutive addresses behind those of the topology."""
    first = ipaddress.IPv4Address(base) + OFFSET
    return [
        Recording(path.name.partition(".snmprec")[0], str(first + number), path)
        for number, path in enumerate(paths)
    ]


def read(path: Path) -> list[Row]:
    """Return the recorded objects in OID order, each once.

    Left out are values that snmpsim would make up (`tag:module`), and those that the publisher of a
    recording blanked so that nothing of the type is left, such as `<private>` for an INTEGER.
    """
    try:
        data = path.read_bytes()
        content = bz2.decompress(data) if path.suffix == ".bz2" else data
    except (OSError, ValueError) as error:
        raise BadRecording(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    return sorted(dict(_rows(path, content)).items())


def _rows(path: Path, content: bytes) -> Iterator[Row]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.startswith(b"#"):
            continue
        if (match := _LINE.fullmatch(line)) is None or int(match[2]) not in _ENCODERS:
            raise BadRecording(f"{path}:{number}: not OID|tag|value")
        oid, tag, hexadecimal, made_up, text = match.groups()
        if made_up:
            continue
        try:
            raw = bytes.fromhex(text.decode()) if hexadecimal else text
            value = _ENCODERS[int(tag)](raw)
        except ValueError:
            continue
        yield ber.oid(oid.decode()), value


def _address(raw: bytes) -> bytes:
    octets = raw if len(raw) == 4 else ipaddress.IPv4Address(raw.decode()).packed  # noqa: PLR2004 - IPv4
    return ber.tlv(IP_ADDRESS, octets)


def _name(raw: bytes) -> bytes:
    arcs: Oid = ber.oid(raw.decode().strip("."))
    return ber.object_identifier(arcs if len(arcs) > 1 else (*arcs, 0))


def _ticks(raw: bytes) -> bytes:
    return bytes((ber.TIMETICKS,)) + ber.gauge32(int(raw))[1:]


_ENCODERS: dict[int, Callable[[bytes], bytes]] = {
    2: lambda raw: ber.integer(int(raw)),
    4: ber.octets,
    5: lambda _: ber.NULL_VALUE,
    6: _name,
    64: _address,
    65: lambda raw: ber.counter32(int(raw)),
    66: lambda raw: ber.gauge32(int(raw)),
    67: _ticks,
    68: lambda raw: ber.tlv(OPAQUE, raw),
    70: lambda raw: ber.counter64(int(raw)),
}
