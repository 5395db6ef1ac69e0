"""Credentials: what devices are asked with, sealed by the vault, never shown."""
