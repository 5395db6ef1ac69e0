"""What shapes the rules: a few durations and the addresses people are sent to."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from rules import burn_rates

# Scheme, host, port and path; no quote, brace, blank or line break can reach an annotation.
PUBLIC_URL = (
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
)
# Prometheus forgets a sample after five minutes. Rules that carry a value forward must run, and
# devices must be asked, well within that time.
FORGOTTEN = 240.0  # seconds between two looks, at most
LONGEST = {
    "evaluation_interval": 120,
    "scrape_interval": FORGOTTEN,
    "down_for": 86_400,
    "flap_window": 86_400,
}


Aggregate = Literal["traffic", "packet_loss", "response_time", "cpu_utilization"]
Method = Literal["adaptive", "robust"]
By = Literal["site", "role"]
NAME = r"[a-z0-9][a-z0-9._-]{0,62}"  # cannot close a quote


@dataclass(frozen=True)
class Baseline:
    """An aggregate by site or by role of which the usual is learned, and how."""

    name: str
    aggregate: Aggregate
    method: Method
    by: By

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME, self.name):
            raise ValueError(f"{self.name!r} is not the name of a baseline")
        for word, known in ((self.aggregate, Aggregate), (self.method, Method), (self.by, By)):
            if word not in get_args(known):
                raise ValueError(f"{word!r} is none of {', '.join(get_args(known))}")

    @property
    def labels(self) -> Mapping[str, str]:
        """What its series carry, beside the site or the role."""
        return {"baseline": self.name, "aggregate": self.aggregate, "method": self.method}

    @property
    def selector(self) -> str:
        """The same as PromQL selects it."""
        inside = ", ".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f'{{{inside}, {self.by}!=""}}'


@dataclass(frozen=True)
class Change:
    """What somebody wants of an alert other than it is shipped: seconds, or None for as shipped."""

    hold: float | None = None
    keep: float | None = None
    enabled: bool = True


@dataclass(frozen=True)
class Intent:
    """How often things happen, how long a device is down, and what time flapping takes: seconds."""

    public_url: str
    evaluation_interval: float = 15
    scrape_interval: float = 60
    down_for: float = 120
    flap_window: float = 1800
    grafana_url: str = ""
    """Where people reach Grafana; without it alerts name no board."""
    changes: Mapping[str, Change] = field(default_factory=dict)
    """What was changed about alerts, by their names."""
    baselines: tuple[Baseline, ...] = ()
    """What has bands."""
    objective: float | None = None
    """How much of the time devices are to be up; without it no budget is watched."""

    def __post_init__(self) -> None:
        for name in ("public_url", "grafana_url"):
            url = getattr(self, name)
            if not re.fullmatch(PUBLIC_URL, url) and (url or name == "public_url"):
                raise ValueError(f"{name} {url!r} is not an http(s) URL of plain text")
        for name, longest in LONGEST.items():
            value = getattr(self, name)
            if not math.isfinite(value) or not 1 <= value <= longest:
                raise ValueError(f"{name} is {value}, but must be 1 to {longest} seconds")
        if self.objective is not None:
            burn_rates.pairs(self.objective, self.sample_interval)

    def runbook(self, alert: str) -> str:
        """Return where people read what to do about an alert."""
        return f"{self.public_url.rstrip('/')}/runbooks/{alert}"

    @property
    def confirm_for(self) -> float:
        """How long `down` must last: one lost poll tells nobody, so two scrapes at least."""
        return max(self.down_for, 2 * self.scrape_interval)

    @property
    def settle_for(self) -> float:
        """How long a measured value must be bad before anyone is told: five minutes or scrapes."""
        return max(300, 5 * self.scrape_interval)

    @property
    def keep_for(self) -> float:
        """How long an alert outlives its condition, so that one good poll ends no outage."""
        return 2 * self.scrape_interval

    @property
    def flap_within(self) -> float:
        """The time within which changes count as flapping: thirty scrapes, so that six are seen."""
        return max(self.flap_window, 30 * self.scrape_interval)

    @property
    def rate_window(self) -> float:
        """The range of rates: four scrapes, so that a lost one leaves enough samples."""
        return max(60, 4 * self.scrape_interval)

    @property
    def sample_interval(self) -> float:
        """How often rules over polled values run: not more often than the values change."""
        return max(self.evaluation_interval, self.scrape_interval)

    @property
    def window_interval(self) -> float:
        """How often rules over windows of four samples run, so that none of them is passed over."""
        return min(3 * self.sample_interval, FORGOTTEN)

    @property
    def lasting_interval(self) -> float:
        """How often rules run over what lasts: as seldom as what they record is not forgotten."""
        return min(4 * self.sample_interval, FORGOTTEN)


def duration(seconds: float) -> str:
    """Write seconds as Prometheus reads a duration: `120s`, or `1500ms` where there is a rest."""
    milliseconds = round(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{whole}s"


def minutes(seconds: float) -> str:
    """Write seconds for people, in minutes.

    >>> minutes(1800)
    '30 min'
    """
    return f"{seconds / 60:g} min"
