"""What one rule set changes of another, file by file, as people read it."""

import difflib
from collections.abc import Mapping

from controlplane.provisioning.ruleset import REVISION_FILE
from controlplane.provisioning.schemas import FileDifference

CONTEXT = 3  # lines


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[FileDifference]:
    """Give the unified difference of every file that is another, new or gone, by its name."""
    names = sorted({*before, *after} - {REVISION_FILE})  # which holds the revision alone
    return [
        FileDifference(file=name, difference=_unified(before.get(name, ""), after.get(name, "")))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _unified(before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "before", "after", n=CONTEXT, lineterm=""
    )
    return "\n".join(lines)
