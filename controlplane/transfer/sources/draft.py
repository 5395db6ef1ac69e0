"""A document in the making: what an export of another system says in our words."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.errors import Problem
from controlplane.transfer.schemas import LeftOut
from controlplane.transfer.sources.names import Names

NO_PLACE = "has no place in the inventory"
CATALOGUE = ("device_roles", "device_types", "platforms", "tenants")


@dataclass(frozen=True)
class Given:
    """A document whose rows nobody has looked at yet, what is wrong, and what was left out.

    `columns` are the custom fields of which a table speaks; devices keep the others they have.
    """

    document: Mapping[str, Any]
    problems: Sequence[Problem] = ()
    left_out: list[LeftOut] = field(default_factory=list)
    columns: Collection[str] = ()


@dataclass
class Draft:
    """Collects rows; whatever is left out of them is counted, never dropped in silence."""

    names: Names = field(default_factory=Names)
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    sites: dict[str, dict[str, Any]] = field(default_factory=dict)
    catalogue: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {noun: {} for noun in CATALOGUE}
    )
    devices: list[dict[str, Any]] = field(default_factory=list)
    _left: Counter[tuple[str, str]] = field(default_factory=Counter)

    def device(self, name: str, **fields: Any) -> None:
        """Add a device under the name that this text makes; empty fields are left to defaults."""
        said = {key: value for key, value in fields.items() if value not in (None, "", [])}
        self.devices.append({"name": self.names.row("devices", name), **said})

    def site(self, name: str, **fields: Any) -> str:
        """Give the name of the place that this text makes; it is added unless it is there."""
        made = self.names.again("sites", name, len(self.sites))
        known = self.sites.setdefault(made, {"name": made, **fields})
        if known.get("kind") != fields.get("kind"):
            self.names.refuse(
                *("sites", list(self.sites).index(made), "collision"),
                f"{name!r} is the name of two kinds of places",
            )
        return made

    def entry(self, noun: str, name: str, **fields: Any) -> str:
        """Give the name of what this text makes in a list of the catalogue; it is added, too.

        Its fields are those that are said first; empty ones are left to defaults.
        """
        rows = self.catalogue[noun]
        made = self.names.again(noun, name, len(rows))
        rows.setdefault(made, {"name": made, **{key: said for key, said in fields.items() if said}})
        return made

    def leave(self, place: str, reason: str = NO_PLACE) -> None:
        """Count something that is not taken over."""
        self._left[place, reason] += 1

    def leave_rest(self, noun: str, fields: Mapping[str, Any], used: Collection[str]) -> None:
        """Count the fields that say something and are not among the used ones."""
        for name, value in fields.items():
            if name not in used and value not in (None, "", [], {}):
                self.leave(f"{noun}/{name}")

    def given(self) -> Given:
        """Give the document."""
        document = {
            "credentials": list(self.credentials.values()),
            "sites": list(self.sites.values()),
            **{noun: list(rows.values()) for noun, rows in self.catalogue.items()},
            "devices": self.devices,
        }
        left = [
            LeftOut(place=place, reason=reason, objects=count)
            for (place, reason), count in sorted(self._left.items())
        ]
        return Given(document, self.names.problems, left)
