"""Intent to Prometheus rules: pure functions, no I/O, one module per rule family."""
