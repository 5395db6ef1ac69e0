"""`chm-exporter`: flags with snmp_exporter's names, and a process that ends cleanly."""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import httpx
import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from exporter.app import Exporter, create_app
from exporter.config import ConfigError
from exporter.inventory import Cache, Inventory
from exporter.profiles import loader
from exporter.settings import Settings
from exporter.telemetry import Telemetry

USAGE_ERROR = 2
LAST_PORT = 65535
BACKLOG = 1024
GRACE = 3  # seconds that running scrapes get when the process is told to end
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class UsageError(Exception):
    """What the operator must change; shown as one line."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the exporter until it is told to end; exit code 2 is a mistake of the operator's."""
    flags = _parser().parse_args(arguments)
    _log(flags.log_level, flags.log_format)
    try:
        _run(flags)
    except (UsageError, ConfigError) as error:
        print(f"chm-exporter: {error}", file=sys.stderr)  # noqa: T201 - the terminal is the edge
        sys.exit(USAGE_ERROR)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "chm-exporter",
        description="Asks network devices and answers Prometheus; a drop-in for snmp_exporter.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    text = "file of auths and modules in snmp_exporter's format; repeatable, globs allowed"
    add("--config.file", dest="config", action="append", default=[], metavar="GLOB", help=text)
    text = "where to serve (%(default)s)"
    add("--web.listen-address", dest="listen", default="127.0.0.1:9116", metavar="ADDR", help=text)
    text = "the control plane, for /probe"
    add("--controlplane.url", dest="controlplane", default="", metavar="URL", help=text)
    text = "file with the service token for it"
    add("--controlplane.token-file", dest="token_file", type=Path, metavar="FILE", help=text)
    text = "where the last snapshot of the inventory is kept, encrypted"
    add("--inventory.cache", dest="cache", type=Path, metavar="FILE", help=text)
    text = "seconds between two looks at the inventory (%(default)s)"
    add("--inventory.refresh", dest="refresh", type=_positive, default=5.0, metavar="S", help=text)
    levels = ["debug", "info", "warn", "error"]
    add("--log.level", dest="log_level", default="info", choices=levels)
    add("--log.format", dest="log_format", default="logfmt", choices=["logfmt", "json"])
    text = "check the configuration and exit"
    add("--dry-run", dest="dry_run", action="store_true", help=text)
    add("--version", action="version", version=f"chm-exporter {version('catalyst-health-monitor')}")
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _run(flags: argparse.Namespace) -> None:
    settings = _settings(flags)
    configuration = loader.load(settings.config_files)
    if flags.dry_run:
        print("Configuration parsed successfully")  # noqa: T201 - as snmp_exporter does
        return
    with _listen(flags.listen) as listening:
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        telemetry = Telemetry(registry)
        inventory = _inventory(settings, telemetry)
        exporter = Exporter(settings, telemetry, configuration, inventory)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(exporter, listening))


def _settings(flags: argparse.Namespace) -> Settings:
    token = ""
    if flags.controlplane:
        if not httpx.URL(flags.controlplane).host:
            raise UsageError(f"--controlplane.url is not a URL: {flags.controlplane}")
        if flags.token_file is None:
            raise UsageError("--controlplane.url needs --controlplane.token-file")
        try:
            token = flags.token_file.read_text().strip()
        except OSError as error:
            raise UsageError(f"{flags.token_file}: {error.strerror}") from error
        if not token:
            raise UsageError(f"{flags.token_file}: holds no token")
    return Settings(tuple(flags.config), flags.controlplane, token, flags.cache, flags.refresh)


def _inventory(settings: Settings, telemetry: Telemetry) -> Inventory | None:
    if not settings.controlplane_url:
        return None
    cache = None
    if settings.inventory_cache is not None:
        if not settings.inventory_cache.parent.is_dir():
            raise UsageError(f"--inventory.cache: no folder {settings.inventory_cache.parent}")
        cache = Cache(settings.inventory_cache, settings.controlplane_token)
    client = httpx.AsyncClient(
        base_url=settings.controlplane_url,
        headers={"Authorization": f"Bearer {settings.controlplane_token}"},
        timeout=10,
    )
    inventory = Inventory(client, telemetry, settings.inventory_refresh, cache)
    inventory.restore()
    return inventory


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "0.0.0.0"  # noqa: S104 - `:9116` means every address
    if not port.isdecimal() or not int(port) <= LAST_PORT:
        raise UsageError(f"--web.listen-address is not [HOST]:PORT: {address}")
    try:
        family, *_, where = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        return socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        # create_server adds its own words to the system's; those of a resolver have no number.
        number = error.errno or 0
        problem = os.strerror(number) if number > 0 else error.strerror
        raise UsageError(f"cannot listen on {address}: {problem}") from error


async def _serve(exporter: Exporter, listening: socket.socket) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(exporter),
            http="httptools",
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    # uvicorn raises the signal again when it is done: ending when told to is success.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, exporter)
    name = listening.getsockname()
    logging.getLogger(__name__).info("listening", extra={"address": f"{name[0]}:{name[1]}"})
    await server.serve([listening])


def _reload(exporter: Exporter) -> None:
    try:
        exporter.reload()
    except ConfigError:
        return  # reload has logged it and keeps the old configuration


def _log(level: str, style: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if style == "json" else Logfmt())
    logging.basicConfig(level="WARNING" if level == "warn" else level.upper(), handlers=[handler])
    for noisy in ("httpx", "httpcore", "uvicorn.error", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with its extra fields."""
        return json.dumps(_fields(self, record), ensure_ascii=False, default=str)


class Logfmt(logging.Formatter):
    """`key=value` pairs, values quoted where they hold more than a word."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with its extra fields."""
        pairs = ((key, str(value)) for key, value in _fields(self, record).items())
        return " ".join(
            f"{key}={value if value.isalnum() else json.dumps(value, ensure_ascii=False)}"
            for key, value in pairs
        )


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {
        "time": formatter.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
        "level": record.levelname.lower(),
        "source": record.name,
        "msg": record.getMessage(),
    }
    fields |= {key: value for key, value in vars(record).items() if key not in STANDARD}
    if record.exc_info:
        fields["exception"] = formatter.formatException(record.exc_info)
    return fields
