"""Anchors: what is noted of the audit log outside the database."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from controlplane.audit import anchors
from controlplane.audit import service as audit
from controlplane.audit.anchors import Gauges
from controlplane.audit.chain import Head
from controlplane.audit.models import Action, Kind, Who
from controlplane.errors import ConfigurationError
from tests.controlplane.conftest import Sessions


def test_the_first_note_of_an_entry_stays(tmp_path: Path) -> None:
    """An entry that is anchored twice keeps the code it had at first, whatever it has now."""
    file = tmp_path / "audit" / "anchors.jsonl"
    assert anchors.read(file) == {}
    for head in (Head(1, "a" * 64), Head(7, "b" * 64), Head(7, "c" * 64)):
        anchors.write(file, head)
    assert anchors.read(file) == {1: "a" * 64, 7: "b" * 64}


@pytest.mark.parametrize("content", ["nonsense", '{"entry": 1}', '["a"]', '{"entry":"x","mac":1}'])
def test_a_file_of_something_else(tmp_path: Path, content: str) -> None:
    """A file that cannot be read as anchors is an error, not no anchors."""
    file = tmp_path / "anchors.jsonl"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"anchors\.jsonl"):
        anchors.read(file)


async def test_an_anchor_is_a_line_a_metric_and_a_file(
    sessions: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest entry and its code are in the log, in a metric and in a file."""
    registry = CollectorRegistry()
    gauges = Gauges.register(registry)
    async with sessions.begin() as session:
        await audit.record(session, Action.CREATE, who=Who(Kind.SYSTEM, name="test"))
    file = tmp_path / "anchors.jsonl"
    with caplog.at_level("INFO"):
        async with sessions() as session:
            await anchors.drop(session, file, gauges)
    ((seq, mac),) = anchors.read(file).items()
    assert seq == 1
    assert f"anchored at entry 1, code {mac}" in caplog.text
    assert registry.get_sample_value("chm_audit_anchor_entry", {"mac": mac[:16]}) == 1
    assert registry.get_sample_value("chm_audit_rewritable") == 0
