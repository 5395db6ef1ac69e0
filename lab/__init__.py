"""A simulated network that answers like the real one, for demo, tests and benchmarks."""
