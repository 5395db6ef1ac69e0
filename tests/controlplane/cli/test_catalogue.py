"""The nouns of the catalogue in a shell: the same verbs for each."""

import pytest

from tests.controlplane.cli.conftest import Chm

NOUNS = [
    ("custom-field", "description=Where", ("required=true", "required", True)),
    ("contact", "email=ann@example.net", ("phone=+47 22", "phone", "+47 22")),
    ("device-role", "description=The backbone", ("colour=#ff8800", "colour", "#ff8800")),
    ("device-type", "manufacturer=Arista", ("model=DCS-7050", "model", "DCS-7050")),
    ("platform", "profile=arista", ("profile=", "profile", None)),
    ("poll-class", "interval=30.5", ("timeout=9.5", "timeout", 9.5)),
    ("tenant", "description=Retail", ("description=", "description", "")),
]


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(("noun", "said", "change"), NOUNS)
def test_the_life_of_an_object(
    chm: Chm, refused: Chm, noun: str, said: str, change: tuple[str, str, object]
) -> None:
    """It is created, listed, shown, changed and deleted; what is misspelt is refused."""
    field, _, value = said.partition("=")
    needed = ["applies_to=device", "value_schema={}"] if noun == "custom-field" else []
    made = chm(noun, "create", "one", said, *needed)
    assert (made["name"], str(made[field])) == ("one", value)
    chm(noun, "create", "two", said, *needed)
    assert [entry["name"] for entry in chm(noun, "list")] == ["one", "two"]
    found = chm(noun, "list", "--filter", "name__sw=o", "--filter", "q=one", "--fields", "name")
    assert found == [{"name": "one"}]
    pair, changed, now = change
    assert chm(noun, "set", "one", pair)[changed] == now
    assert chm(noun, "show", "one")["version"] == 2
    chm(noun, "delete", "one")
    assert "there is no" in refused(noun, "show", "one")
    assert "no filter" in refused(noun, "list", "--filter", "nom=one")
    assert "no field" in refused(noun, "list", "--fields", "nom")
    assert "nom" in refused(noun, "create", "x", "nom=one")
    assert "not FIELD=VALUE" in refused(noun, "create", "x", "nom")
