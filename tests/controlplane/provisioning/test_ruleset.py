from pathlib import Path

import pytest
import yaml

import rules
from controlplane.errors import ConfigurationError
from controlplane.provisioning import ruleset
from controlplane.provisioning.service import rule_intent
from controlplane.settings import Settings

INTENT = rules.Intent("https://chm.example.net")
LOCAL = "groups: [{name: mine, rules: [{record: a:b:c, expr: vector(1)}]}]\n"


def test_set_holds_the_families_and_says_its_revision(tmp_path: Path) -> None:
    """The revision stands in the set as a recorded series, so that Prometheus can be asked."""
    built = ruleset.build(INTENT, tmp_path / "none")
    (group,) = yaml.safe_load(built.files["ruleset.yml"])["groups"]

    assert set(built.files) == {*rules.render(INTENT), "ruleset.yml"}
    assert group["rules"] == [
        {
            "record": "chm_ruleset_info",
            "labels": {"revision": built.revision},
            "expr": "vector(1)",
        }
    ]


def test_an_objective_that_nothing_fits_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    """Before anything runs it is said why; one that fits is watched."""
    fits = Settings(data=tmp_path, availability_objective=0.999)
    assert "ErrorBudgetBurning" in rules.render(rule_intent(fits))["sla.yml"]
    with pytest.raises(ConfigurationError, match=r"no alert fits an objective of 0\.9999"):
        rule_intent(fits.model_copy(update={"availability_objective": 0.9999}))


def test_local_files_are_part_of_the_set(tmp_path: Path) -> None:
    """A file of the operator is taken word for word and changes the revision."""
    without = ruleset.build(INTENT, tmp_path)
    (tmp_path / "mine.yml").write_text(LOCAL)
    (tmp_path / "notes.txt").write_text("not a rule file")
    built = ruleset.build(INTENT, tmp_path)

    assert built.files["local-mine.yml"] == LOCAL
    assert built.revision != without.revision
    assert built == ruleset.build(INTENT, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a b.yml", LOCAL, "letters, digits"),
        ("mine.yaml", LOCAL, "ends in .yml"),
        ("mine.yml", "groups: [", "cannot be read as YAML"),
        ("mine.yml", "groups: []\ngroups: []\n", "twice"),
        ("mine.yml", "groups: []\nextra: 1\n", "nothing else"),
        ("mine.yml", "", "nothing else"),
        ("mine.yml", "!!python/object/apply:os.getcwd []", "cannot be read as YAML"),
    ],
)
def test_a_local_file_that_is_no_rule_file_is_named(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    """A mistake in a file of the operator is said with its name, never passed over."""
    (tmp_path / name).write_text(text)

    with pytest.raises(ConfigurationError, match=words) as error:
        ruleset.build(INTENT, tmp_path)
    assert name in error.value.detail


def test_a_local_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused."""
    (tmp_path / "mine.yml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match=r"mine\.yml"):
        ruleset.build(INTENT, tmp_path)
