"""promtool: whether Prometheus would accept rule files, and if not, why."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from controlplane.errors import Invalid
from controlplane.provisioning import programs

WORDS = 2_000  # characters of what promtool says about a test that failed


class Rejected(Invalid):
    """promtool found a mistake; the detail is what it said, with file names without folders."""


async def check_rules(promtool: str, files: Sequence[Path], timeout: float) -> None:  # noqa: ASYNC109 - it kills what it started
    """Return if promtool accepts these rule files of one folder; `timeout` in seconds.

    Raises Rejected with its message, or Unavailable when it cannot be run or takes too long.
    """
    status, output = await programs.run(
        [promtool, "check", "rules", *map(str, sorted(files))], timeout
    )
    if status:
        raise Rejected(_words(output, files[0].parent))


async def test_rules(
    promtool: str,
    files: Mapping[str, str],
    behaviour: Mapping[str, Any],
    timeout: float,  # noqa: ASYNC109 - it kills what it started
) -> None:
    """Return if rule files, by name, together behave as the unit test says; `timeout` in seconds.

    Raises Rejected with what was expected and what came, or Unavailable as `check_rules` does.
    """
    with tempfile.TemporaryDirectory(prefix="chm-rules-") as folder:
        test = await asyncio.to_thread(_write_test, Path(folder), files, behaviour)
        status, output = await programs.run([promtool, "test", "rules", str(test)], timeout)
    if status:
        said = " ".join(output.replace(f"{folder}/rules/", "").split())
        raise Rejected(f"outages would not be told as they should: {said[:WORDS]}")


def _write_test(folder: Path, files: Mapping[str, str], behaviour: Mapping[str, Any]) -> Path:
    (folder / "rules").mkdir()
    paths = [folder / "rules" / name for name in sorted(files)]
    for path in paths:
        path.write_text(files[path.name], encoding="utf-8")
    test = folder / "behaviour.yml"
    document = {"rule_files": list(map(str, paths)), **behaviour}
    test.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return test


def _words(output: str, folder: Path) -> str:
    """Leave out what promtool says about files that are fine."""
    lines = [line.strip().replace(f"{folder}/", "") for line in output.splitlines()]
    chosen = [
        line
        for line in lines
        if line and not line.startswith(("Checking ", "SUCCESS:")) and line != "FAILED:"
    ]
    return "; ".join(chosen) or "promtool refused the rules and gave no reason"
