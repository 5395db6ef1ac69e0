"""The control plane: what should be monitored, by whom, and how well."""
