"""The platforms a simulated device can be, each in the words of its vendor."""

from collections.abc import Mapping

from lab.platforms import (
    arista,
    aruba,
    cisco,
    cisco_fru,
    dell,
    extreme,
    hp,
    juniper,
    linux,
    ruckus,
)
from lab.platforms.platform import Platform


def catalogue() -> Mapping[str, Platform]:
    """Return every platform by its name, which is what a topology file says."""
    known = (
        *cisco.PLATFORMS,
        *cisco_fru.PLATFORMS,
        juniper.MX240,
        arista.DCS_7050SX_64,
        hp.PROCURVE_2530_48G,
        *aruba.PLATFORMS,
        ruckus.ICX_7450,
        *extreme.PLATFORMS,
        *dell.PLATFORMS,
        linux.LINUX_ROUTER,
    )
    return {platform.name: platform for platform in known}
