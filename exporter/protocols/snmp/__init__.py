"""SNMP v1, v2c and v3 over UDP and TCP: where an agent is, and a session with it."""

from exporter.protocols.snmp.connection import session
from exporter.protocols.snmp.limits import Limits, Traffic
from exporter.protocols.snmp.memory import Memory
from exporter.protocols.snmp.session import Session
from exporter.protocols.snmp.target import Target
from exporter.protocols.snmp.usm import Engines

__all__ = ["Engines", "Limits", "Memory", "Session", "Target", "Traffic", "session"]
