"""Alertmanager's configuration: made of settings, channels and routes, and put in force."""
