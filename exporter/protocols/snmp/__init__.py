"""SNMP v1, v2c and v3 over UDP, by gufo-snmp: where an agent is, and a session with it."""

from exporter.protocols.snmp.session import Limits, Session, Traffic, session
from exporter.protocols.snmp.target import Target

__all__ = ["Limits", "Session", "Target", "Traffic", "session"]
