"""The platforms a simulated device can be, each in the words of its vendor."""

from collections.abc import Mapping

from lab.platforms import arista, cisco, hp, juniper
from lab.platforms.platform import Platform


def catalogue() -> Mapping[str, Platform]:
    """Return every platform by its name, which is what a topology file says."""
    known = (*cisco.PLATFORMS, juniper.MX240, arista.DCS_7050SX_64, hp.PROCURVE_2530_48G)
    return {platform.name: platform for platform in known}
