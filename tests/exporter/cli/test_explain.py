import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from exporter.cli import report
from exporter.probe import Devices, Explanation, Subject, explained, look
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp import Target
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.agent import Agent, Request, Value, integer, octets, parse, serve
from tests.exporter.cli.test_process import COMMAND
from tests.exporter.conftest import free_port

PLAIN = report.Style(100)


def explain(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, "explain", *arguments], capture_output=True, text=True)


@pytest.fixture
async def told(
    switch: dict[str, Value], configuration: Configuration, telemetry: Telemetry
) -> Explanation:
    """Return the explanation of a switch that has one odd sensor, and is deaf at one table."""
    switch["1.3.6.1.4.1.9.9.13.1.3.1.3.1009"] = integer(-127)
    switch["1.3.6.1.4.1.9.9.13.1.3.1.2.1008"] = octets(f"a long name {'of a sensor ' * 9}")
    fru = parse("1.3.6.1.4.1.9.9.91.1.1.1.1")

    def deaf(agent: Agent, request: Request) -> list[bytes]:
        return [] if request.oids[0][: len(fru)] == fru else agent.answer(request)

    async with serve(switch, deaf) as agent:
        target = Target("127.0.0.1", agent.port)
        subject = Subject("edge1", target, {"lab": configuration.auths["public_v2"]})
        devices = Devices(Settings(), telemetry)
        deadline = asyncio.get_running_loop().time() + 2
        async with devices.turn("edge1", deadline) as state:
            seen = await look(devices, subject, state, configuration, deadline)
    return explained(seen, subject, configuration)


class TestReport:
    def test_profile(self, told: Explanation) -> None:
        """The report says which profile fits and why, which lost, and where the facts stand."""
        text = "\n".join(report.lines(told, PLAIN))
        for part in (
            "answers to lab\n",
            "  sysObjectID  1.3.6.1.4.1.9.1.1208\n",
            "  profile      cisco_ios (Cisco)",
            "  because      sysObjectID begins with 1.3.6.1.4.1.9\n",
            "cisco_ios_xe: sysDescr does not match IOS",
            "  serial       FOC1234X0AB  1.3.6.1.2.1.47.1.1.1.1.11.1\n",
            "  uptime       0 d 01:00:00\n",
        ):
            assert part in text

    def test_collectors(self, told: Explanation) -> None:
        """What failed, what was not needed and what the device does not have are told apart."""
        verdicts = {
            line.split()[0]: line.split("  ")[-1].strip()
            for line in report.lines(told, PLAIN)
            if line.startswith("  cisco_")
        }
        assert verdicts["cisco_entity_sensor"].startswith("failed: no answer at 1.3.6.1.4.1.9.9.91")
        assert verdicts["cisco_enhanced_memory"] == report.NOTHING
        assert verdicts["cisco_process_memory"].startswith("not needed")
        assert verdicts["cisco_cpu"].startswith("0.")
        assert not told.complete

    def test_rows(self, told: Explanation) -> None:
        """A row is followed from the agent's values to its sample, or to why there is none."""
        text = "\n".join(report.lines(told, PLAIN))
        assert (
            '    chm_cpu_utilization_ratio{cpu="Switch 1"} 0.42\n'
            "      cpmCPUTotal5minRev  1.3.6.1.4.1.9.9.109.1.1.1.1.8.1  42\n"
            "      entPhysicalName     1.3.6.1.2.1.47.1.1.1.1.7.1001    Switch 1\n"
        ) in text
        reason = "-127 of ciscoEnvMonTemperatureStatusValue means no value"
        assert f"    no sample of row 1009: {reason}\n" in text

    @pytest.mark.parametrize("width", [80, 100, 240])
    def test_width(self, told: Explanation, width: int) -> None:
        """No line is wider than the terminal, whatever the device calls its parts."""
        lines = list(report.lines(told, report.Style(width)))
        assert max(map(len, lines)) <= width
        assert any("…" in line for line in lines) == (width < 240)

    def test_colours(self, told: Explanation) -> None:
        """Colours change nothing but the colours."""
        plain = list(report.lines(told, PLAIN))
        coloured = "\n".join(report.lines(told, report.Style(100, coloured=True)))
        assert "\x1b[32m0.42\x1b[0m" in coloured
        for code in ("0", report.BOLD, report.DIM, report.RED, report.GREEN, report.YELLOW):
            coloured = coloured.replace(f"\x1b[{code}m", "")
        assert coloured == "\n".join(plain)


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"Fan 1", "Fan 1"), (b"\x00\x1b", "0x001B"), (b"\xff", "0xFF"), (7, "7"), (None, "")],
)
def test_raw_values(value: int | bytes | None, text: str) -> None:
    """Octets are shown as text where they are text, else as digits; nothing reaches a terminal."""
    assert report.shown(value) == text


class TestCommand:
    def test_net_snmp(self, snmpd: str) -> None:
        """A device is explained on one command, in plain text where nobody looks at it."""
        done = explain(snmpd)
        assert done.stderr == ""
        assert done.returncode == 0
        assert f"{snmpd} answers to public_v2" in done.stdout
        assert "profile      net_snmp (net-snmp)" in done.stdout
        assert "\x1b" not in done.stdout

    def test_json(self, snmpd: str) -> None:
        """Machines get the same as JSON, with OIDs, raw values, samples and reasons."""
        done = explain(snmpd, "--json", "--module", "auto", "--module", "system")
        told = json.loads(done.stdout)
        assert (told["profile"], told["complete"]) == ("net_snmp", True)
        collectors = {each["name"]: each for each in told["collectors"]}
        assert collectors["system"]["samples"] > 0
        memory = collectors["ucd_memory"]
        assert memory["walk"] or memory["get"]
        sizes = [e for e in memory["entries"] if e["family"] == "chm_memory_size_bytes"]
        row = next(row for entry in sizes for row in entry["rows"] if row["series"])
        assert row["series"][0]["family"] == "chm_memory_size_bytes"
        assert row["sources"][0]["oid"].startswith("1.3.6.1.4.1.2021.4.")

    def test_named_module(self, snmpd: str) -> None:
        """With a module named, that one is asked for and no other."""
        told = json.loads(explain(snmpd, "--json", "--module", "system").stdout)
        assert [each["name"] for each in told["collectors"]] == ["identity", "system"]

    def test_silence(self) -> None:
        """A device that does not answer is one line and exit code 1."""
        done = explain(f"127.0.0.1:{free_port()}", "--timeout", "1")
        assert done.returncode == 1
        assert done.stdout == ""
        assert "the port is closed" in done.stderr
        assert done.stderr.count("\n") == 1

    @pytest.mark.parametrize(
        ("flags", "problem"),
        [
            (["a b"], "Invalid target 'a b'"),
            (["192.0.2.1", "--auth", "gone"], "Unknown auth 'gone'"),
            (["192.0.2.1", "--module", "gone"], "Unknown module 'gone'"),
            (["192.0.2.1", "--config.file", "gone.yml"], "gone.yml: no such file"),
            (["192.0.2.1", "--snmp.source-address", "x"], "is not an address: x"),
            (["192.0.2.1", "--timeout", "0"], "invalid"),
            ([], "TARGET"),
        ],
    )
    def test_mistakes(self, flags: list[str], problem: str) -> None:
        """A mistake in the command is told, with exit code 2, before anything is asked."""
        done = explain(*flags)
        assert done.returncode == 2
        assert problem in done.stderr

    def test_own_module(self, snmpd: str, tmp_path: Path) -> None:
        """A module that is being written is explained from the operator's file."""
        path = tmp_path / "own.yml"
        path.write_text("modules: {own: {get: [1.3.6.1.2.1.1.3.0]}}")
        done = explain(snmpd, "--config.file", str(path), "--module", "own")
        assert done.returncode == 0
        assert "own " in done.stdout
