"""Scrapes: some modules on a target (`/snmp`), or all there is of a known device (`/probe`)."""

from exporter.probe.devices import Devices, Known
from exporter.probe.modules import Order, Scraper
from exporter.probe.prober import Prober

__all__ = ["Devices", "Known", "Order", "Prober", "Scraper"]
