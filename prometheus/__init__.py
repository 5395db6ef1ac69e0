"""Configuration of Prometheus and Alertmanager, shipped as data."""
