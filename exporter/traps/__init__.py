"""Traps and informs: received, told to the control plane, alerted at once where a table says so.

A trap is a hint that anybody may send. Its device is known by the source address alone, and must
show one of that device's auths. Where a table has something to ask, the device is asked itself
before an alert is made of its trap, and again for as long as that lasts; else the trap is believed.
"""

from exporter.traps.alerts import Alerts
from exporter.traps.desk import Desk
from exporter.traps.outbox import Outbox
from exporter.traps.receiver import Receiver
from exporter.traps.service import Traps
from exporter.traps.sources import Sources
from exporter.traps.storms import Storms

__all__ = ["Alerts", "Desk", "Outbox", "Receiver", "Sources", "Storms", "Traps"]
