from pathlib import Path
from typing import Any

import pytest
import yaml

from controlplane.errors import Invalid
from controlplane.mibs import compiler
from controlplane.mibs.compiler import Wishes

FILES = Path(__file__).parent / "files"
EXAMPLE = "1.3.6.1.4.1.65536.1"


def module(*objects: str, **wishes: Any) -> dict[str, Any]:
    text = compiler.compile([FILES], Wishes("m", objects, **wishes)).text
    found: dict[str, Any] = yaml.safe_load(text)["modules"]["m"]
    return found


def metrics(*objects: str, **wishes: Any) -> dict[str, dict[str, Any]]:
    return {metric["name"]: metric for metric in module(*objects, **wishes)["metrics"]}


class TestTypes:
    def test_of_values(self) -> None:
        """Syntax and textual conventions say how a value is shown."""
        found = {name: metric["type"] for name, metric in metrics("exTable").items()}

        assert found == {
            "exAddress": "InetAddress",
            "exMode": "gauge",
            "exLabel": "DisplayString",
            "exOctets": "counter",
            "exAlarms": "Bits",
            "exSerial": "OctetString",
            "exHome": "InetAddressIPv4",
        }

    def test_names(self) -> None:
        """Enumerations and BITS keep the names of their values."""
        found = metrics("exTable")

        assert found["exMode"]["enum_values"] == {0: "off", 1: "on", 2: "half-on"}
        assert found["exAlarms"]["enum_values"] == {0: "hot", 1: "loud"}
        assert "enum_values" not in found["exOctets"]

    def test_chosen(self) -> None:
        """A type can be chosen, such as one series per state; one that is not there cannot."""
        assert metrics("exTable", types={"exMode": "EnumAsStateSet"})["exMode"]["type"] == (
            "EnumAsStateSet"
        )
        with pytest.raises(Invalid, match="'Enum' is no type for exMode"):
            metrics("exTable", types={"exMode": "Enum"})
        with pytest.raises(Invalid, match="none of the objects has exThings"):
            metrics("exTable", types={"exThings": "gauge"})

    def test_help(self) -> None:
        """The help of a metric is the first sentence of its description, and its OID."""
        assert metrics("EXAMPLE-MIB::exUptime")["exUptime"] == {
            "name": "exUptime",
            "oid": f"{EXAMPLE}.1",
            "type": "DateAndTime",
            "help": f"When it was started - {EXAMPLE}.1",
        }


class TestIndexes:
    def test_every_kind(self) -> None:
        """Fixed sizes, implied lengths, enumerations and typed addresses are told from the MIB."""
        assert metrics("exTable")["exOctets"]["indexes"] == [
            {"labelname": "exMac", "type": "PhysAddress48", "fixed_size": 6},
            {"labelname": "exAddress", "type": "InetAddress"},
            {
                "labelname": "exMode",
                "type": "gauge",
                "enum_values": {0: "off", 1: "on", 2: "half-on"},
            },
            {"labelname": "exLabel", "type": "DisplayString", "implied": True},
        ]

    def test_augmented(self) -> None:
        """A table that augments another has its indexes."""
        assert metrics("ifXTable")["ifHCInOctets"]["indexes"] == [
            {"labelname": "ifIndex", "type": "gauge"}
        ]

    def test_impossible(self) -> None:
        """What no label can show is left out, and said."""
        compiled = compiler.compile([FILES], Wishes("m", ("exObjects",)))

        assert "exThings" not in compiled.text
        [note] = compiled.notes
        assert note == (
            "EXAMPLE-MIB::exThings is left out: its index exThing is of type OBJECT IDENTIFIER"
        )


class TestSelection:
    def test_walk_and_get(self) -> None:
        """Tables are walked, scalars are asked for by their instance, and nothing twice."""
        found = module("exTable", "exOctets", "EXAMPLE-MIB::exUptime")

        assert found["walk"] == [f"{EXAMPLE}.2"]
        assert found["get"] == [f"{EXAMPLE}.1.0"]

    def test_lookups(self) -> None:
        """A column of another table can name the rows, and is walked for that."""
        found = module("ifXTable", lookups=(("ifIndex", "ifDescr"),), dropped=("ifIndex",))

        assert found["walk"] == ["1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.31.1.1"]
        assert found["metrics"][0]["lookups"] == [
            {
                "labels": ["ifIndex"],
                "labelname": "ifDescr",
                "oid": "1.3.6.1.2.1.2.2.1.2",
                "type": "DisplayString",
            },
            {"labels": [], "labelname": "ifIndex"},
        ]

    def test_lookup_of_nothing(self) -> None:
        """A lookup for an index that no metric has is a mistake that is named."""
        with pytest.raises(Invalid, match="none of the objects has entIndex"):
            module("exTable", lookups=(("entIndex", "ifDescr"),))


class TestMistakes:
    def test_missing_mibs(self) -> None:
        """Every MIB that is missing is named once, with who needs it for what; nothing else is."""
        with pytest.raises(Invalid) as caught:
            module("needyLost", "needyKind")

        assert caught.value.detail == (
            f"missing in {FILES}: ABSENT-MIB (NEEDY-MIB takes absentRoot from it); "
            "GONE-TC (NEEDY-MIB takes GoneType from it)"
        )

    def test_unneeded_imports(self) -> None:
        """What a MIB imports and the objects do not need may be missing."""
        assert module("NEEDY-MIB::exUptime")["get"] == [f"{EXAMPLE}.91.0"]

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("exNothing", "no MIB in .* defines exNothing"),
            ("exUptime", "say EXAMPLE-MIB::exUptime or NEEDY-MIB::exUptime"),
            ("EXAMPLE-MIB::ifDescr", "EXAMPLE-MIB has no object ifDescr"),
            ("OTHER-MIB::x", "missing in .*OTHER-MIB"),
        ],
    )
    def test_names(self, name: str, problem: str) -> None:
        """A name that is unknown or not enough is answered with what would do."""
        with pytest.raises(Invalid, match=problem):
            module(name)

    @pytest.mark.parametrize("text", ["A-MIB DEFINITIONS ::= BEGIN a OBJECT-TYPE x END"])
    def test_syntax(self, tmp_path: Path, text: str) -> None:
        """A file that is no MIB is named with the line at fault."""
        (tmp_path / "A-MIB").write_text(text)
        with pytest.raises(Invalid, match="A-MIB, line 1: this is not a valid MIB"):
            compiler.compile([tmp_path], Wishes("m", ("A-MIB::a",)))

    def test_circle(self, tmp_path: Path) -> None:
        """A MIB that defines objects in terms of themselves does not hang the compiler."""
        text = "A-MIB DEFINITIONS ::= BEGIN {} END"
        circle = "a OBJECT IDENTIFIER ::= { b 1 } b OBJECT IDENTIFIER ::= { a 1 }"
        (tmp_path / "A-MIB").write_text(text.format(circle))
        with pytest.raises(Invalid, match="in terms of itself"):
            compiler.compile([tmp_path], Wishes("m", ("A-MIB::a",)))

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that is not there is named."""
        with pytest.raises(Invalid, match="is not a folder"):
            compiler.compile([tmp_path / "gone"], Wishes("m", ("x",)))
