"""Alerts: what Alertmanager told, kept with its history."""
