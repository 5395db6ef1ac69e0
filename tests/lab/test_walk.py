"""Walks of net-snmp's tools as recordings."""

import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab import recording, walk
from lab.cli import app
from lab.errors import BadRecording
from tests.exporter.conftest import snmpd

assert snmpd

ROOTS = (".1.3.6.1.2.1.1", ".1.3.6.1.2.1.2", ".1.3.6.1.2.1.4.20", ".1.3.6.1.4.1.2021.10")
WALK = """\
.1.3.6.1.2.1.1.1.0 = Hex-STRING: 4C 69 6E 75 78 20 76 6D 20 36 2E 31 38 2E 34 34 
2D 66 63 

.1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.4.1.8072.3.2.10
.1.3.6.1.2.1.1.3.0 = Timeticks: (148) 0:00:01.48
.1.3.6.1.2.1.1.9.0 = 149
.1.3.6.1.2.1.2.2.1.6.1 = ""
.1.3.6.1.2.1.4.20.1.1.127.0.0.1 = IpAddress: 127.0.0.1
.1.3.6.1.2.1.4.20.1.4.127.0.0.1 = INTEGER: -7
.1.3.6.1.2.1.31.1.1.1.6.1 = Counter64: 18351255267
.1.3.6.1.4.1.2021.10.1.6.1 = Opaque: Float: 0.500000
.1.3.6.1.4.1.2021.10.1.7.1 = No Such Instance currently exists at this OID
"""  # noqa: W291 - as it is printed


def test_every_type() -> None:
    """Every type of a walk becomes a line of the recording, texts over several lines as one."""
    assert list(walk.recording(WALK)) == [
        "1.3.6.1.2.1.1.1.0|4x|4c696e757820766d20362e31382e34342d6663",
        "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10",
        "1.3.6.1.2.1.1.3.0|67|148",
        "1.3.6.1.2.1.1.9.0|67|149",
        "1.3.6.1.2.1.2.2.1.6.1|4x|",
        "1.3.6.1.2.1.4.20.1.1.127.0.0.1|64|127.0.0.1",
        "1.3.6.1.2.1.4.20.1.4.127.0.0.1|2|-7",
        "1.3.6.1.2.1.31.1.1.1.6.1|70|18351255267",
        "1.3.6.1.4.1.2021.10.1.6.1|68x|9f78043f000000",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("SNMPv2-MIB::sysName.0 = STRING: core1", "line 1 is not a line of snmpbulkwalk -Onxe"),
        ('.1.3.6.1 = STRING: "a"', "line 1 holds text"),
        (".1.3.6.1 = INTEGER: up(1)", "line 1 holds no INTEGER"),
        (".1.3.6.1 = Colour: 1", "line 1 holds no Colour"),
    ],
)
def test_mistakes(line: str, problem: str) -> None:
    """A walk that was printed in another way is refused with its line."""
    with pytest.raises(BadRecording, match=problem):
        list(walk.recording(line))


def test_of_a_real_agent(snmpd: str, tmp_path: Path) -> None:
    """All that a real agent answers is in the recording that the lab reads."""
    command = ["snmpbulkwalk", "-v2c", "-cpublic", "-m", "", "-Onxe", snmpd]
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(tmp_path)}
    printed = "".join(
        subprocess.run([*command, root], capture_output=True, text=True, env=environment).stdout
        for root in ROOTS
    )
    (tmp_path / "agent.walk").write_text(printed)

    done = CliRunner().invoke(app, ["convert", str(tmp_path / "agent.walk")])
    (tmp_path / "agent.snmprec").write_text(done.output)

    rows = recording.read(tmp_path / "agent.snmprec")
    assert done.exit_code == 0
    assert len(rows) == len([line for line in printed.splitlines() if line.startswith(".1.")])
    assert len(rows) > 50
