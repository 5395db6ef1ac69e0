"""What the control plane writes for Prometheus, Alertmanager and Grafana."""
