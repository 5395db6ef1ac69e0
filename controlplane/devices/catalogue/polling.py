"""What a poll class may be on this installation, whose rules expect a sample every so often."""

from controlplane.devices.catalogue.models import PollClass
from controlplane.errors import Invalid, Problem
from controlplane.settings import Settings


def check(entry: PollClass, settings: Settings) -> None:
    """Raise Invalid where rules would miss samples, or a poll would last into the next one.

    Windows of rules hold four polls of CHM_SCRAPE_INTERVAL, so nothing is asked more seldom.
    """
    problems = []
    longest = settings.scrape_interval
    if entry.interval > longest:
        problems.append(
            Problem(
                "/interval",
                "too_long",
                f"must be at most {longest:g} seconds, for rules expect four samples in"
                f" {4 * longest:g}; CHM_SCRAPE_INTERVAL is the longest interval of all",
            )
        )
    if entry.timeout is not None and entry.timeout >= entry.interval:
        words = f"must be less than the interval, which is {entry.interval:g} seconds"
        problems.append(Problem("/timeout", "too_long", words))
    if problems:
        raise Invalid("devices cannot be asked like that", *problems)
