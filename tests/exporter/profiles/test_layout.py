from typing import Any

from pydantic import TypeAdapter

from exporter.exposition import render
from exporter.profiles.layout import Layout, Memory, Remembered
from exporter.profiles.rows import Labels
from exporter.profiles.schema import Module
from exporter.profiles.table import Table
from exporter.profiles.values import Value

INDEX = [{"labelname": "ifIndex", "type": "gauge"}]
NAME = {"labels": ["ifIndex"], "labelname": "ifName", "oid": "1.3.1", "type": "DisplayString"}
PARENT = {"labels": ["ifIndex"], "labelname": "parent", "oid": "1.3.4", "type": "gauge"}
CHAINED = {"labels": ["parent"], "labelname": "owner", "oid": "1.3.1", "type": "DisplayString"}


def table(lookups: list[dict[str, Any]], memory: Memory | None = None) -> Table:
    columns = [("a", "1.3.2", "counter"), ("state", "1.3.3", "EnumAsInfo")]
    metrics = [
        {"name": name, "oid": oid, "type": kind, "indexes": INDEX, "lookups": lookups}
        for name, oid, kind in columns
    ]
    return Table(TypeAdapter(Module).validate_python({"metrics": metrics}), memory)


def lines(table: Table, answers: dict[str, Value]) -> list[str]:
    body = render(table.families(answers, "edge1")).body.decode()
    return [line for line in body.splitlines() if not line.startswith("#")]


def ports(**names: str) -> dict[str, Value]:
    """Return the answers of a device with ports of these names, `p7` at index 7."""
    answers: dict[str, Value] = {f"1.3.1.{key[1:]}": text.encode() for key, text in names.items()}
    answers |= {f"1.3.2.{key[1:]}": int(key[1:]) * 10 for key in names}
    return answers | {f"1.3.3.{key[1:]}": 1 for key in names}


class TestMemory:
    def test_a_new_name_shows_at_once(self) -> None:
        """What is remembered of a device is not used once one of its strings has changed."""
        known = table([NAME])
        assert lines(known, ports(p1="Gi1")) == [
            'a{ifIndex="1",ifName="Gi1"} 10',
            'state_info{ifIndex="1",ifName="Gi1",state="1"} 1',
        ]
        assert lines(known, ports(p1="uplink"))[0] == 'a{ifIndex="1",ifName="uplink"} 10'

    def test_rows_that_move_keep_their_names(self) -> None:
        """A device that numbers its ports anew gets new labels, value for value."""
        known = table([NAME])
        before = lines(known, ports(p1="Gi1", p2="Gi2"))
        after = lines(known, ports(p2="Gi1", p3="Gi2"))

        assert before[0] == 'a{ifIndex="1",ifName="Gi1"} 10'
        assert after[:2] == ['a{ifIndex="2",ifName="Gi1"} 20', 'a{ifIndex="3",ifName="Gi2"} 30']

    def test_what_a_chained_lookup_went_through_counts(self) -> None:
        """A port that moves to another parent gets the other parent's name."""
        known = table([PARENT, CHAINED])
        answers = {**ports(p1="Gi1", p2="Po1"), "1.3.4.1": 2, "1.3.4.2": 0}
        assert 'owner="Po1"' in lines(known, answers)[0]
        answers["1.3.4.1"] = 1
        assert 'owner="Gi1"' in lines(known, answers)[0]

    def test_numbers_that_share_a_hash_are_told_apart(self) -> None:
        """A label that changes from -1 to -2 shows it, though both hash alike."""
        known = table([PARENT])
        answers = {**ports(p1="Gi1"), "1.3.4.1": -1}
        assert 'parent="-1"' in lines(known, answers)[0]
        answers["1.3.4.1"] = -2
        assert 'parent="-2"' in lines(known, answers)[0]

    def test_another_device_is_another_device(self) -> None:
        """Devices of one model share the order of their answers, not their strings."""
        known = table([NAME])
        lines(known, ports(p1="Gi1"))
        [family, _] = known.families(ports(p1="Te1"), "edge2")
        assert family.blocks == ['{ifIndex="1",ifName="Te1"}']

    def test_it_is_bounded(self) -> None:
        """The devices not asked for longest are forgotten, and nothing is lost by it."""
        memory = Memory(limit=20_000)
        known = table([NAME], memory)
        for number in range(100):
            known.families(ports(p1="Gi1"), f"edge{number}")

        assert 0 < memory.weight <= 20_000
        assert memory.get((known.mark, "edge99")) is not None
        assert memory.get((known.mark, "edge0")) is None

    def test_one_that_is_too_large_is_not_kept(self) -> None:
        """A device larger than the memory does not stay in it."""
        memory = Memory(limit=10)
        memory.put("huge", Remembered(Layout((), ()), dict[tuple[int, int], Labels]()))
        assert (memory.get("huge"), memory.weight) == (None, 0)


def test_answers_that_come_in_another_order_are_read_anew() -> None:
    """Only the order of the OIDs decides what an answer means, never its place alone."""
    known = table([NAME])
    answers = ports(p1="Gi1", p2="Gi2")
    backwards = dict(reversed(answers.items()))

    assert sorted(lines(known, answers)) == sorted(lines(known, backwards))


def test_a_label_goes_where_its_name_belongs() -> None:
    """The label of a state stands in alphabetical order: first, between and last."""
    for name in ("a", "ifNa", "zz"):
        metric = {"name": name, "oid": "1.3.3", "type": "EnumAsInfo", "indexes": INDEX}
        raw = {"metrics": [{**metric, "lookups": [NAME]}]}
        made = Table(TypeAdapter(Module).validate_python(raw)).families(ports(p1='G"i,ifName="'))
        labels = made[0].blocks[0]
        pairs = {name: "1", "ifIndex": "1", "ifName": r"G\"i,ifName=\""}
        wanted = ",".join(f'{key}="{pairs[key]}"' for key in sorted(pairs))
        assert labels == f"{{{wanted}}}"
