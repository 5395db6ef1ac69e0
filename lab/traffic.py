"""How much a link carries: a load that swings with the day, in closed form.

The load at time t is mean * (1 + sum(a_i * sin(2*pi*t/P_i + phase_i))) with sum(a_i) < 1, so it
is never negative; its integral is known exactly, so both ends of a link count the same octets
however seldom anybody asks.
"""

import math
import random
from dataclasses import dataclass

DAY = 86_400.0
_WAVES = ((0.45, DAY), (0.12, 5_400.0), (0.08, 610.0), (0.05, 47.0))  # amplitude, period in seconds


@dataclass(frozen=True)
class Wave:
    """One swing of a load: relative amplitude, angular frequency in rad/s, phase in rad."""

    amplitude: float
    frequency: float
    phase: float


@dataclass(frozen=True)
class Load:
    """The traffic of one direction of a link."""

    mean: float  # octets per second
    packet: float  # octets per packet
    waves: tuple[Wave, ...]

    def rate(self, at: float) -> float:
        """Return the octets per second at a moment (Unix seconds)."""
        swing = sum(w.amplitude * math.sin(w.frequency * at + w.phase) for w in self.waves)
        return self.mean * (1 + swing)

    def octets(self, start: float, end: float) -> float:
        """Return the octets carried between two moments (Unix seconds)."""
        swing = sum(
            w.amplitude
            / w.frequency
            * (math.cos(w.frequency * start + w.phase) - math.cos(w.frequency * end + w.phase))
            for w in self.waves
        )
        return self.mean * (end - start + swing)


def load(seed: str, speed_mbps: int, utilisation: float) -> Load:
    """Return the load of one direction; the seed makes it the same at every start."""
    rng = random.Random(seed)
    mean = speed_mbps * 125_000 * utilisation * rng.uniform(0.6, 1.4)
    waves = tuple(
        Wave(
            amplitude,
            2 * math.pi / period,
            rng.uniform(-0.5, 0.5) if period == DAY else rng.uniform(0, 6.28),
        )
        for amplitude, period in _WAVES
    )
    return Load(mean, rng.uniform(500, 900), waves)


NOTHING = Load(0.0, 700.0, ())
