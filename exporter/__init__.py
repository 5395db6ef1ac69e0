"""The exporter: asks devices over their own protocols and answers Prometheus."""
