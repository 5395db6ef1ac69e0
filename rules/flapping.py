"""What goes up and down all the time: told once as that, instead of each time it goes down."""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template

from rules.options import duration
from rules.rule import Record

# The window is read in thirds: each was recorded when it was the last one, so that many series are
# read over the last third alone, once, and the rest reads those few of them that changed.
CHANGES = Template("""\
sum without (third) (
  label_replace($lately, "third", "1", "", "")
  or
  label_replace($lately offset $third, "third", "2", "", "")
  or
  label_replace($lately offset $second, "third", "3", "", "")
)""")

# Flapping begins with enough changes within the window and goes on until there was none for a third
# of it: so it neither ends between two of them, nor hides for long what has gone down for good.
# Whether it goes on is read from the evaluation before.
FLAPPING = Template("""\
(
  ($changes >= $least)
  or
  ($changes and $flapping)
)
and
$lately""")


@dataclass(frozen=True)
class Window:
    """A time within which changes count, of which there is a sample every `step` seconds."""

    seconds: float
    step: float

    @property
    def third(self) -> float:
        """A third of it, without a change in which flapping is over."""
        return self.seconds / 3

    @property
    def range(self) -> float:
        """How far back a third is read: a change belongs to that in which its later sample is."""
        return self.third + 0.98 * self.step


def records(level: str, changes: Template, least: int, within: Window) -> Iterator[Record]:
    """Record what changed lately and within the window, and as `<level>:flapping` what flaps.

    `changes` counts over the range `$range`, with the labels that the series are to have, and gives
    those above 0.
    """
    names = {
        "lately": f"{level}:changes_lately",
        "changes": f"{level}:changes",
        "flapping": f"{level}:flapping",
    }
    yield Record(names["lately"], changes.substitute(range=duration(within.range)))
    times = {"third": duration(within.third), "second": duration(2 * within.third)}
    yield Record(names["changes"], CHANGES.substitute(times, lately=names["lately"]))
    yield Record(names["flapping"], FLAPPING.substitute(names, least=least))
