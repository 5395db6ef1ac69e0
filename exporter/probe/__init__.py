"""Scrapes: some modules on a target (`/snmp`), or all there is of a known device (`/probe`)."""

from exporter.probe.devices import Devices, Known
from exporter.probe.explanation import Explanation, explained
from exporter.probe.look import look
from exporter.probe.modules import Order, Scraper
from exporter.probe.prober import Prober
from exporter.probe.reach import Subject

__all__ = [
    "Devices",
    "Explanation",
    "Known",
    "Order",
    "Prober",
    "Scraper",
    "Subject",
    "explained",
    "look",
]
