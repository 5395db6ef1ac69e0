"""Benchmarks anyone can run; they print ratios against peers measured in the same run."""

import os
from pathlib import Path

TOOLS = Path(__file__).parents[1] / ".tools" / "bin"
os.environ["PATH"] += f"{os.pathsep}{TOOLS}"  # as `make` has it: what the machine has goes first
