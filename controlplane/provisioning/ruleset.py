"""A rule set: the rendered families, what people wrote, the operator's files, and its revision."""

import hashlib
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import rules
from controlplane.errors import ConfigurationError

REVISION_FILE = "ruleset.yml"
REVISION_METRIC = "chm_ruleset_info"
USER_FILE = "user-rules.yml"
LOCAL_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*\.yml"


@dataclass(frozen=True)
class RuleSet:
    """Rule files by name; `revision` is a hash of them: equal sets have equal revisions.

    `behaviour` is the unit test, as promtool reads it, that the set must pass before it is used,
    and `played` the files that must pass it.
    """

    revision: str
    files: Mapping[str, str]
    behaviour: Mapping[str, Any]
    played: Mapping[str, str]


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice instead of dropping the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the signature of PyYAML
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def build(intent: rules.Intent, local: Path, alerts: Sequence[rules.Alert] = ()) -> RuleSet:
    """Render the rules of `intent`, the alerts that people wrote, and the files in `local`.

    What people wrote is not played: such an alert records nothing and has no name of ours, so it
    changes nothing of the story, but what fails in a network that is not theirs would end it.

    Raises ConfigurationError, naming the file, where one of them cannot be a rule file.
    """
    short = rules.shortened(intent)
    theirs = _local_files(local)
    ours = rules.render(intent)
    own = {USER_FILE: rules.written(alerts, intent)} if alerts else {}
    files = {**ours, **own, **theirs}
    played = {**(ours if short == intent else rules.render(short)), **theirs}
    revision = _hash(files)
    files[REVISION_FILE] = _revision_file(revision)
    return RuleSet(revision, files, rules.behaviour(short), played)


def _hash(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        for part in (name.encode(), text.encode()):
            digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()[:16]


def _revision_file(revision: str) -> str:
    rule = {"record": REVISION_METRIC, "labels": {"revision": revision}, "expr": "vector(1)"}
    return yaml.safe_dump({"groups": [{"name": "chm-ruleset", "rules": [rule]}]}, sort_keys=False)


def _local_files(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    paths = sorted(path for path in folder.iterdir() if path.suffix in {".yml", ".yaml"})
    return {f"local-{path.name}": _local_file(path) for path in paths}


def _local_file(path: Path) -> str:
    if not re.fullmatch(LOCAL_NAME, path.name):
        raise ConfigurationError(
            f"{path}: the name of a rule file is letters, digits, '.', '_', '-', and ends in .yml"
        )
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader with one check more
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read as YAML: {error}") from error
    if (
        not isinstance(tree, dict)
        or set(tree) != {"groups"}
        or not isinstance(tree["groups"], list)
    ):
        raise ConfigurationError(f"{path}: a rule file holds a list of `groups` and nothing else")
    return text
