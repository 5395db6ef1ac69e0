"""How often a client may ask, counted for all replicas together."""
