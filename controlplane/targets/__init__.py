"""What the exporter and Prometheus are told to ask: the snapshot and service discovery."""
