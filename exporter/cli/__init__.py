"""`chm-exporter`: flags with snmp_exporter's names, and a process that ends cleanly."""

import argparse
import sys
from collections.abc import Sequence

from exporter.cli import flags, logs
from exporter.cli.flags import DEFAULT_LISTEN, UsageError

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the exporter until it is told to end; exit code 2 is a mistake of the operator's."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parsed = flags.parser().parse_args(given)
    logs.set_up(parsed.log_level, parsed.log_format)
    # Imported late: a wrong flag is told at once, and `--help` costs nothing.
    from exporter.config import ConfigError  # noqa: PLC0415

    try:
        _run(parsed, given)
    except (UsageError, ConfigError) as error:
        print(f"chm-exporter: {error}", file=sys.stderr)  # noqa: T201 - the terminal is the edge
        sys.exit(USAGE_ERROR)


def _run(parsed: argparse.Namespace, given: list[str]) -> None:
    from exporter.cli import server, sockets, workers  # noqa: PLC0415

    settings = flags.settings(parsed)
    checked = server.check(settings, parsed.web_config)
    if parsed.dry_run:
        print("Configuration parsed successfully")  # noqa: T201 - as snmp_exporter does
        return
    sockets.lift_limit()
    if parsed.worker:
        workers.serve(parsed.worker, checked)
        return
    addresses = parsed.listen or [DEFAULT_LISTEN]
    listening = [sockets.listen(address, parsed.workers) for address in addresses]
    try:
        if parsed.workers > 1:
            workers.supervise(given, list(zip(*listening, strict=True)))
        else:
            server.run(checked, [each[0] for each in listening], server.Place())
    finally:
        for each in (one for shared in listening for one in shared):
            each.close()
