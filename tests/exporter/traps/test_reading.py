import pytest

from exporter.profiles import loader
from exporter.protocols.snmp.notifications import Notification
from exporter.traps import reading
from tests.exporter.traps.sending import LINK_DOWN

INDEX = "1.3.6.1.2.1.2.2.1.1"


@pytest.mark.parametrize(
    ("instance", "index"),
    [("7", "7"), ("4294967295.1", "4294967295.1"), ("4294967296", ""), ("1.4294967296", "")],
)
def test_instance(instance: str, index: str) -> None:
    """A trap is about the instance of its varbinds, if it is one that can be asked for."""
    told = Notification(LINK_DOWN, 1, ((f"{INDEX}.{instance}", 7),))

    assert reading.told(told, loader.load([]).traps[LINK_DOWN], "edge1").index == index
