"""Configuration of Grafana, shipped as data."""
