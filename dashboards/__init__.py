"""Intent to Grafana dashboards: pure functions, no I/O, one module per board."""
