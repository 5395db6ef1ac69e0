"""Baselines: the aggregates of which Prometheus learns what is usual."""
