"""The exporter over HTTP: snmp_exporter's endpoints, and `/probe` for devices of the inventory."""

from exporter.app.endpoints import create_app
from exporter.app.exporter import Exporter, load

__all__ = ["Exporter", "create_app", "load"]
