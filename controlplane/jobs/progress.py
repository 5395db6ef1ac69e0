"""How far work is."""

from dataclasses import dataclass


@dataclass
class Progress:
    """Steps that are done, of how many; whoever works moves it, whoever watches reads it."""

    done: int = 0
    total: int | None = None

    def advance(self, steps: int = 1) -> None:
        """Count steps that are done."""
        self.done += steps
