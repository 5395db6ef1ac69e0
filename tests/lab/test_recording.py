import asyncio
import bz2
import subprocess
from pathlib import Path

import pytest

from lab import ber, recording
from lab.errors import BadRecording
from lab.server import Lab
from lab.topology import Topology

TEXT = b"""\
# a switch
1.3.6.1.2.1.1.5.0|4|edge1
1.3.6.1.2.1.1.3.0|67|4294967295
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.1208
1.3.6.1.2.1.2.2.1.6.1|4x|001b54000001
1.3.6.1.2.1.2.2.1.8.1|2|-1
1.3.6.1.2.1.2.2.1.7.1|2|<private>
1.3.6.1.2.1.4.20.1.1.192.0.2.1|64x|c0000201
1.3.6.1.2.1.4.20.1.1.192.0.2.2|64|192.0.2.2
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.2.2.1.10.1|65:numeric|rate=1000
1.3.6.1.4.1.2021.10.1.6.1|68x|9f78043f800000
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "edge1.snmprec"
    path.write_bytes(TEXT)
    return path


def test_a_recording_becomes_rows_in_oid_order(path: Path) -> None:
    """Values keep their types; what is blanked or made up is left out."""
    rows = dict(recording.read(path))

    assert list(rows) == sorted(rows)
    assert len(rows) == 9
    assert rows[ber.oid("1.3.6.1.2.1.1.5.0")] == b"\x04\x05edge1"
    assert rows[ber.oid("1.3.6.1.2.1.1.3.0")] == b"\x43\x05\x00\xff\xff\xff\xff"
    assert rows[ber.oid("1.3.6.1.2.1.2.2.1.8.1")] == b"\x02\x01\xff"
    assert rows[ber.oid("1.3.6.1.2.1.4.20.1.1.192.0.2.1")] == b"\x40\x04\xc0\x00\x02\x01"
    assert rows[ber.oid("1.3.6.1.2.1.4.20.1.1.192.0.2.2")] == b"\x40\x04\xc0\x00\x02\x02"
    assert rows[ber.oid("1.3.6.1.4.1.2021.10.1.6.1")] == b"\x44\x07\x9f\x78\x04\x3f\x80\x00\x00"


def test_a_packed_recording_is_the_same(path: Path) -> None:
    """A file of snmpsim's data package is read as it is."""
    packed = path.with_suffix(".snmprec.bz2")
    packed.write_bytes(bz2.compress(TEXT))

    assert recording.read(packed) == recording.read(path)


@pytest.mark.parametrize("text", [b"sysName = edge1\n", b"1.3.6|300|x\n", b"1.3.6.1|2\n"])
def test_another_format_is_refused(path: Path, text: bytes) -> None:
    """The message names file and line."""
    path.write_bytes(text)
    with pytest.raises(BadRecording, match=r"edge1\.snmprec:1: not OID"):
        recording.read(path)


def test_a_missing_or_damaged_file_is_refused(tmp_path: Path) -> None:
    """A file that cannot be read is named."""
    with pytest.raises(BadRecording, match="No such file"):
        recording.read(tmp_path / "none.snmprec")
    (tmp_path / "broken.snmprec.bz2").write_bytes(b"no bzip2")
    with pytest.raises(BadRecording, match=r"broken\.snmprec\.bz2"):
        recording.read(tmp_path / "broken.snmprec.bz2")


async def test_a_recording_is_played_to_a_real_client(path: Path) -> None:
    """net-snmp's client gets what the device once said."""
    played = recording.recordings([path], "127.0.93.0")
    async with Lab(Topology(()), snmp_port=0, recordings=played) as lab:
        address = f"{lab.address('edge1')}:{lab.port}"
        command = ["snmpbulkwalk", "-v2c", "-cpublic", "-On", "-Oq", address, ".1.3.6.1.2.1.1"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)

    assert '.1.3.6.1.2.1.1.5.0 "edge1"' in done.stdout
