"""Benchmarks anyone can run; they print ratios against peers measured in the same run."""
