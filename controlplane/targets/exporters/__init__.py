"""The exporters that share the devices."""
