"""Events: the traps that devices sent, as the exporters tell of them."""
