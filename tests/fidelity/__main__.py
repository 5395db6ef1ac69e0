"""`python -m tests.fidelity`: print the comparison; exit 1 unless it is good, 2 without data."""

import asyncio
import sys

from tests.fidelity import recordings, report


def main() -> int:
    """Compare the recordings that the environment names."""
    paths = recordings.given()
    if not paths:
        sys.stderr.write(f"{recordings.VARIABLE} names no folder of recordings\n")
        return 2
    devices = asyncio.run(recordings.compared(paths))
    sys.stdout.write("\n".join(report.lines(devices)) + "\n")
    return 0 if report.good(devices) else 1


if __name__ == "__main__":
    sys.exit(main())
