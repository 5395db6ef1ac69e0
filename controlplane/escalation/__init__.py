"""Escalation: who is told when nobody acknowledges an alert, and who is on call."""
