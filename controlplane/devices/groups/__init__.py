"""Device groups: saved filters over the inventory."""
