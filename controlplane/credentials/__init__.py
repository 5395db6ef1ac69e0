"""The vault: what devices are asked with, encrypted at rest, never shown."""
