"""Names of other systems in our grammar: lower case, `-` for what may not stand there."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

from controlplane.errors import Problem

LONGEST, LONGEST_LABEL = 63, 64


def slug(text: str) -> str:
    """Make a name of a site, role or device; empty where nothing of the text can stand in one."""
    return _fit(text.lower(), r"[^a-z0-9._-]+", LONGEST)


def word(text: str) -> str:
    """Make a tag."""
    return _fit(text, r"[^A-Za-z0-9_.-]+", LONGEST)


def label(text: str) -> str:
    """Make a vendor, in which spaces and `/ & +` may stand."""
    return _fit(text, r"[^A-Za-z0-9 ._/&+-]+", LONGEST_LABEL).rstrip(" _/&-")


def _fit(text: str, forbidden: str, longest: int) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(forbidden, "-", plain.strip()).lstrip("._- /&+")[:longest].rstrip("-")


@dataclass
class Names:
    """Remembers which text became which name, so that two that become one are found."""

    problems: list[Problem] = field(default_factory=list)
    _texts: dict[tuple[str, str], str] = field(default_factory=dict)
    _rows: Counter[str] = field(default_factory=Counter)

    def row(self, noun: str, text: str) -> str:
        """Make the name of the next row of a list, which has one row for each text."""
        index = self._rows[noun]
        self._rows[noun] += 1
        return self.again(noun, text, index)

    def again(self, noun: str, text: str, index: int) -> str:
        """Make the name of the row of this text, which stands at `index` if it is new."""
        name = slug(text)
        known = self._texts.setdefault((noun, name), text)
        if not name:
            self.refuse(noun, index, "unnameable", f"{text!r} has nothing that a name may have")
        elif known != text:
            self.refuse(noun, index, "collision", f"{text!r} and {known!r} would be {name!r}")
        return name

    def refuse(self, noun: str, index: int, code: str, message: str) -> None:
        """Tell of a row whose name cannot be."""
        self.problems.append(Problem(f"/{noun}/{index}/name", code, message))
