"""Modules that the control plane compiles are modules that the exporter reads."""

from pathlib import Path

import yaml
from typer.testing import CliRunner

from controlplane.cli import command_line
from exporter.profiles import loader
from tests.controlplane.mibs import test_compiler

MODULES = Path(loader.__file__).parent / "modules"
LOOKUPS = ("ifAlias", "ifDescr", "ifName")


def compiled(out: Path) -> list[str]:
    """Return the command that makes the module of the interfaces."""
    command = ["mib", "compile", "interfaces", "ifXTable", "--name", "if_mib", "--out", str(out)]
    command += ["--mibs", str(test_compiler.FILES), "--type", "ifType=EnumAsInfo"]
    for column in LOOKUPS:
        command += ["--lookup", f"ifIndex={column}"]
    # How the module of the product shows them, beside what it takes from lookups.
    for address in ("ifPhysAddress=PhysAddress48", "ifSpecific=OctetString"):
        command += ["--type", address]
    return command


def test_if_mib(tmp_path: Path) -> None:
    """From the IF-MIB comes what the product ships, metric for metric."""
    out = tmp_path / "if_mib.yml"

    result = CliRunner().invoke(command_line(), compiled(out))

    assert result.exit_code == 0, result.output
    ours = yaml.safe_load((MODULES / "if_mib.yml").read_text())["modules"]["if_mib"]
    made = yaml.safe_load(out.read_text())["modules"]["if_mib"]
    assert made["walk"] == ours["walk"]
    written = {metric["name"]: _sorted(metric) for metric in made["metrics"]}
    assert set(written) - {metric["name"] for metric in ours["metrics"]} == set(LOOKUPS)
    for metric in ours["metrics"]:
        assert written[metric["name"]] == _sorted(metric)


def test_exporter_reads_it(tmp_path: Path) -> None:
    """The exporter takes the file as it is."""
    out = tmp_path / "if_mib.yml"
    CliRunner().invoke(command_line(), compiled(out))

    configuration = loader.load([str(out)])

    assert configuration.modules["if_mib"].module.metrics[0].name == "ifNumber"


def test_every_kind(tmp_path: Path) -> None:
    """… whatever types and indexes are in it."""
    out = tmp_path / "example.yml"
    command = ["mib", "compile", "exObjects", "--name", "example", "--out", str(out)]
    result = CliRunner().invoke(command_line(), [*command, "--mibs", str(test_compiler.FILES)])

    assert result.exit_code == 0, result.output
    assert len(loader.load([str(out)]).modules["example"].module.metrics) == 8


def _sorted(metric: dict[str, object]) -> dict[str, object]:
    lookups = metric.get("lookups")
    if isinstance(lookups, list):
        return {**metric, "lookups": sorted(lookups, key=lambda lookup: str(lookup["labelname"]))}
    return metric
