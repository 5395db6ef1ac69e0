"""What goes up and down all the time: told once as that, instead of each time it goes down."""

from collections.abc import Iterator
from string import Template

from rules.options import duration
from rules.rule import Record

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
($lately > 0)""")


def records(level: str, changes: Template, least: int, window: float) -> Iterator[Record]:
    """Record the changes within `window` seconds, and as `<level>:flapping` those that flap.

    `changes` counts over the range `$range`, with the labels that the series are to have.
    """
    within, lately = (changes.substitute(range=duration(w)) for w in (window, window / 3))
    names = {"changes": f"{level}:changes", "flapping": f"{level}:flapping"}
    yield Record(names["changes"], f"{within} > 0")
    yield Record(names["flapping"], FLAPPING.substitute(names, least=least, lately=lately))
