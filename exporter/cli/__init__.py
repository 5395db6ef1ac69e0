"""`chm-exporter`: flags with snmp_exporter's names, and a process that ends cleanly."""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from exporter.cli import flags, logs
from exporter.cli.flags import DEFAULT_LISTEN, UsageError

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the exporter until it is told to end; exit code 2 is a mistake of the operator's."""
    with _reloads_held():
        _main(list(sys.argv[1:] if arguments is None else arguments))


@contextmanager
def _reloads_held() -> Iterator[None]:
    """Hold SIGHUP back while there is nothing to reload: untaken, it ends a process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.sigtimedwait({signal.SIGHUP}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _main(given: list[str]) -> None:
    explaining = given[:1] == ["explain"]
    parsed = flags.parser().parse_args([] if explaining else given)
    # Imported late: a wrong flag is told at once, and `--help` costs nothing.
    from exporter.config import ConfigError  # noqa: PLC0415

    try:
        if explaining:
            from exporter.cli import explain  # noqa: PLC0415

            sys.exit(explain.main(given[1:]))
        _run(parsed, given)
    except (UsageError, ConfigError) as error:
        print(f"chm-exporter: {error}", file=sys.stderr)  # noqa: T201 - the terminal is the edge
        sys.exit(USAGE_ERROR)


def _run(parsed: argparse.Namespace, given: list[str]) -> None:
    from exporter.cli import server, sockets, workers  # noqa: PLC0415

    logs.set_up(parsed.log_level, parsed.log_format)
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
    with ExitStack() as stack:
        receiving = [stack.enter_context(sockets.receive(each)) for each in settings.traps_listen]
        if parsed.workers > 1:
            reserved = [stack.enter_context(sockets.reserve(each)) for each in addresses]
            workers.supervise(given, parsed.workers, reserved, receiving)
        else:
            listening = [stack.enter_context(sockets.listen(each)) for each in addresses]
            server.run(checked, listening, receiving, server.Place())
