"""Inventories of Ansible, INI and YAML: hosts, ranges, groups and `ansible_host`.

Taken over: hosts in and out of groups, ranges (`sw[01:24]`, `sw[a:c]`), groups of groups, and
`ansible_host`. Groups become tags. All other variables are left out, for what they hold may be
secret or a template that only Ansible fills in; patterns, plugins and scripts are no inventory.
"""

import ipaddress
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.errors import Invalid
from controlplane.transfer import formats
from controlplane.transfer.formats import Format
from controlplane.transfer.sources.draft import Draft, Given
from controlplane.transfer.sources.names import word
from controlplane.transfer.sources.shapes import text

BUILT_IN = frozenset({"all", "ungrouped"})
RANGE = re.compile(r"\[(\w{1,9}):(\w{1,9})(?::(\d{1,9}))?\]")
HOST = re.compile(r"([\w.-]+)(?::(\d+))?")
LONGEST = 63  # characters of what is no host that an error repeats
MOST = 100_000  # hosts: a range is a few letters, and what it stands for may be anything
SECTION = re.compile(r"\[([^\[\]:]+)(?::(\w+))?\]")


@dataclass
class Inventory:
    """Hosts with their variables, and which groups are in which."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # of a host
    within: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # of a group
    variables: list[str] = field(default_factory=list)  # of groups, by name
    written: int = 0  # hosts, each as often as it is named

    def host(self, pattern: str, group: str, variables: Mapping[str, Any]) -> None:
        """Add the hosts of a pattern to a group."""
        for written in _expand(pattern):
            self.written += 1
            if self.written > MOST:
                raise Invalid(f"there are more than {MOST} hosts")
            name, port = _name(written)
            if port:
                self.hosts.setdefault(name, {})["ansible_port"] = port
            self.hosts.setdefault(name, {}).update(variables)
            self.groups[name].add(group)

    def tags(self, host: str) -> list[str]:
        """Give the groups of a host and those that they are in, as tags."""
        found, waiting = set[str](), [*self.groups[host]]
        while waiting:
            group = waiting.pop()
            if group not in found:
                found.add(group)
                waiting.extend(self.within[group])
        return sorted({tag for group in found - BUILT_IN if (tag := word(group))})


def read(content: str, secrets: bool) -> Given:  # noqa: ARG001, FBT001 - variables are left out
    """Make a device of each host."""
    first = next((line for line in content.splitlines() if line.strip(" \t\r-#;")), "")
    yaml = re.fullmatch(r"[\w.\"'-]+:\s*(?:[{#].*)?", first) or first.startswith("{")
    inventory = _yaml(content) if yaml else _ini(content)
    draft = Draft()
    for name, variables in inventory.hosts.items():
        draft.device(
            name,
            address=text(variables.get("ansible_host")) or name,
            tags=inventory.tags(name),
        )
        draft.leave_rest("variables", variables, {"ansible_host"})
    for variable in inventory.variables:
        draft.leave(f"variables/{variable}", "is a variable of a group")
    return draft.given()


def _ini(content: str) -> Inventory:
    inventory, group, kind = Inventory(), "ungrouped", "hosts"
    for number, line in enumerate(content.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise Invalid(f"line {number}: {error}") from None
        if line.lstrip().startswith(";") or not words:
            continue
        if section := SECTION.fullmatch(words[0]):
            group, kind = section[1], section[2] or "hosts"
            if kind not in {"hosts", "children", "vars"}:
                raise Invalid(f"line {number}: {kind!r} is none of children and vars")
        elif kind == "children":
            inventory.within[words[0]].add(group)
        elif kind == "vars":
            inventory.variables.append(words[0].partition("=")[0])
        else:
            pairs = (word.partition("=") for word in words[1:])
            inventory.host(words[0], group, {key: value for key, _, value in pairs})
    return inventory


def _yaml(content: str) -> Inventory:
    inventory = Inventory()
    for name, group in _entries(formats.parse(Format.YAML, content), "the file"):
        _group(inventory, name, group)
    return inventory


def _group(inventory: Inventory, name: str, group: Any) -> None:
    fields = dict(_entries(group, name))
    for host, variables in _entries(fields.pop("hosts", None), f"{name}.hosts"):
        inventory.host(host, name, dict(_entries(variables, host)))
    for child, inner in _entries(fields.pop("children", None), f"{name}.children"):
        inventory.within[child].add(name)
        _group(inventory, child, inner)
    variables = _entries(fields.pop("vars", None), f"{name}.vars")
    inventory.variables.extend(variable for variable, _ in variables)
    inventory.variables.extend(fields)


def _entries(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if value is not None and not isinstance(value, dict):
        raise Invalid(f"{place[:LONGEST]} is no mapping")
    return ((text(key), inner) for key, inner in (value or {}).items())


def _name(written: str) -> tuple[str, str]:
    """Take the port off a host name, or raise Invalid where it is neither name nor address."""
    try:
        return str(ipaddress.ip_address(written)), ""
    except ValueError:
        found = HOST.fullmatch(written)
        if found is None:
            raise Invalid(f"{written[:LONGEST]!r} is no host") from None
        return found[1], found[2] or ""


def _expand(pattern: str) -> Iterator[str]:
    """Give the names that a pattern with ranges stands for, as Ansible numbers them."""
    found = RANGE.search(pattern)
    if found is None:
        yield pattern
        return
    head, tail = pattern[: found.start()], pattern[found.end() :]
    for step in _range(found[1], found[2], int(found[3] or 1)):
        for rest in _expand(tail):
            yield f"{head}{step}{rest}"


def _range(first: str, last: str, step: int) -> Iterator[str]:
    if step and first.isdecimal() and last.isdecimal():
        return (str(n).zfill(len(first)) for n in range(int(first), int(last) + 1, step))
    if step and re.fullmatch("[a-z]{2}|[A-Z]{2}", first + last):
        return (chr(n) for n in range(ord(first), ord(last) + 1, step))
    raise Invalid(f"[{first}:{last}:{step}] is no range")
