"""`chm-exporter explain TARGET`: which profile fits a device, how it is asked, what comes of it."""

import argparse
import asyncio
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from exporter.app import load
from exporter.cli import flags, logs, report
from exporter.cli.flags import UsageError
from exporter.errors import BadRequest, ProtocolError
from exporter.probe import Devices, Explanation, Subject, explained, look
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp import Target
from exporter.settings import Settings
from exporter.telemetry import Telemetry

UNANSWERED = 1  # exit code: something was asked that the device did not answer
WIDTH = 100  # columns where no terminal says how many it has
AUTO = "auto"


def main(arguments: Sequence[str]) -> int:
    """Explain a device on stdout; return the exit code."""
    given = _parser().parse_args(arguments)
    logs.set_up(given.log_level, "logfmt")
    try:
        told = asyncio.run(_ask(given))
    except BadRequest as error:
        raise UsageError(str(error)) from None
    except ProtocolError as error:
        print(f"chm-exporter: {error}", file=sys.stderr)  # noqa: T201 - the terminal is the edge
        return UNANSWERED
    print(_json(told) if given.json else _text(told))  # noqa: T201
    return 0 if told.complete else UNANSWERED


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        "chm-exporter explain",
        description="Asks a device as a scrape would, and tells which profile fits it and why, "
        "which collectors ran, and what every row became.",
        epilog=f"Exit codes: 0 all was answered, {UNANSWERED} something was not, 2 a mistake here.",
        allow_abbrev=False,
    )
    add = made.add_argument
    add("target", metavar="TARGET", help="[udp://|tcp://]host[:port]")
    add("--auth", default="public_v2", metavar="NAME", help="auth to ask with (%(default)s)")
    text = f"module to collect, repeatable; `{AUTO}` is all that the profile names (%(default)s)"
    add("--module", dest="modules", action="append", metavar="NAME", help=text)
    add("--json", action="store_true", help="for machines")
    text = "seconds that all of it may take (%(default)s)"
    add("--timeout", type=flags.positive, default=60.0, metavar="S", help=text)
    add("--log.level", dest="log_level", default="error", choices=flags.LEVELS)
    flags.configuration(made)
    flags.source_address(made.add_argument_group("SNMP"))
    return made


async def _ask(given: argparse.Namespace) -> Explanation:
    """Return what came of one look at the target."""
    settings = Settings(
        config_files=tuple(given.config),
        expand_environment=given.expand,
        source_address=flags.source(given.source),
        replay_memory=0,
    )
    configuration = load(settings)
    subject = _subject(given, configuration)
    devices = Devices(settings, Telemetry(CollectorRegistry()))
    deadline = asyncio.get_running_loop().time() + given.timeout
    async with devices.turn(str(subject.target), deadline) as state:
        seen = await look(devices, subject, state, configuration, deadline)
    return explained(seen, subject, configuration)


def _subject(given: argparse.Namespace, configuration: Configuration) -> Subject:
    target, modules = Target.parse(given.target), given.modules or [AUTO]
    named = [name for name in modules if name != AUTO]
    for kind, name, known in (
        ("auth", given.auth, configuration.auths),
        *(("module", name, configuration.modules) for name in named),
    ):
        if name not in known:
            raise BadRequest(f"Unknown {kind} '{name}'")
    auths = {given.auth: configuration.auths[given.auth]}
    return Subject(str(target), target, auths, modules=tuple(named), whole=AUTO in modules)


def _json(told: Explanation) -> str:
    content = dataclasses.asdict(told) | {"complete": told.complete}
    return json.dumps(content, ensure_ascii=False, indent=2, default=report.shown)


def _text(told: Explanation) -> str:
    tty = sys.stdout.isatty()
    width = shutil.get_terminal_size((WIDTH, 0)).columns if tty else WIDTH
    style = report.Style(width, coloured=tty and not os.environ.get("NO_COLOR"))
    return "\n".join(report.lines(told, style))
