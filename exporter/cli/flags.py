"""The flags, by snmp_exporter's names where it has them, and the settings they make."""

import argparse
import ipaddress
import re
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from exporter.settings import Settings

DEFAULT_LISTEN = "127.0.0.1:9116"
LAST_PORT = 65535
LEVELS = ("debug", "info", "warn", "error")
SWITCH = argparse.BooleanOptionalAction


class UsageError(Exception):
    """What the operator must change; shown as one line."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        "chm-exporter",
        description="Asks network devices and answers Prometheus; a drop-in for snmp_exporter.",
        epilog="`chm-exporter explain TARGET` tells how a device is asked, and what comes of it.",
        allow_abbrev=False,
    )
    for group in (configuration, _web, _snmp, _care, _inventory, _traps, _process):
        group(made)
    return made


def configuration(made: argparse.ArgumentParser) -> None:
    """Add the flags that name configuration files."""
    add = made.add_argument_group("configuration").add_argument
    text = "auths and modules in snmp_exporter's format, and profiles; repeatable, globs allowed"
    add("--config.file", dest="config", action="append", default=[], metavar="GLOB", help=text)
    text = "replace $NAME and ${NAME} in user names and passwords of auths"
    add(
        "--config.expand-environment-variables",
        dest="expand",
        action=SWITCH,
        default=False,
        help=text,
    )


def source_address(made: argparse._ArgumentGroup) -> None:
    """Add the flag for the address to ask from; `source` checks it."""
    text = "address to ask from"
    made.add_argument("--snmp.source-address", dest="source", default="", metavar="ADDR", help=text)


def source(text: str) -> str:
    """Return a source address as it is used, or raise UsageError."""
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        raise UsageError(f"--snmp.source-address is not an address: {text}") from None


def _web(made: argparse.ArgumentParser) -> None:
    add = made.add_argument_group("serving").add_argument
    text = f"where to serve, repeatable ({DEFAULT_LISTEN})"
    add("--web.listen-address", dest="listen", action="append", metavar="ADDR", help=text)
    text = "file with TLS, client certificates and passwords, in the format of exporter-toolkit"
    add("--web.config.file", dest="web_config", type=Path, metavar="FILE", help=text)
    text = "path of the exporter's own metrics (%(default)s)"
    add("--web.telemetry-path", dest="metrics_path", default="/metrics", metavar="PATH", help=text)
    text = "scrapes under way at most; more are answered with 503 (%(default)s)"
    add("--web.max-requests", dest="max_requests", type=_count, default=1024, help=text)
    text = "seconds of Prometheus' timeout that are kept for the way back (%(default)s)"
    add("--timeout-offset", dest="offset", type=_seconds, default=0.5, metavar="S", help=text)
    text = "processes that serve together (%(default)s)"
    add("--workers", type=_count, default=1, metavar="N", help=text)


def _snmp(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("SNMP")
    add = group.add_argument
    source_address(group)
    text = "take 64-bit counters modulo 2^53, which is what Prometheus can hold exactly"
    add("--snmp.wrap-large-counters", dest="wrap", action=SWITCH, default=True, help=text)
    text = "modules of one scrape that run side by side (%(default)s)"
    add("--snmp.module-concurrency", dest="modules", type=_count, default=1, help=text)
    text = "walks of one module that run side by side, for devices far away (%(default)s)"
    add("--snmp.walk-concurrency", dest="walks", type=_count, default=1, help=text)
    text = "MiB to remember walks in, so that the next take less CPU; 0 is none (%(default)s)"
    add("--snmp.replay-memory", dest="replay", type=_whole, default=256, metavar="MIB", help=text)


def _care(made: argparse.ArgumentParser) -> None:
    add = made.add_argument_group("devices").add_argument
    text = "scrapes of one device that run side by side; others wait (%(default)s)"
    add("--snmp.device-concurrency", dest="devices", type=_count, default=1, help=text)
    text = "scrapes without any answer after which a device is left alone; 0 is never (%(default)s)"
    add("--snmp.breaker-failures", dest="failures", type=_whole, default=3, help=text)
    text = "seconds for which it is left alone (%(default)s)"
    add("--snmp.breaker-interval", dest="interval", type=positive, default=20.0, help=text)


def _inventory(made: argparse.ArgumentParser) -> None:
    add = made.add_argument_group("inventory").add_argument
    text = "the control plane, for /probe"
    add("--controlplane.url", dest="controlplane", default="", metavar="URL", help=text)
    text = "file with the service token for it"
    add("--controlplane.token-file", dest="token_file", type=Path, metavar="FILE", help=text)
    text = "file with the token of those who may POST /verify; without it nobody may"
    add("--verify.token-file", dest="verify", type=Path, metavar="FILE", help=text)
    text = "as which the control plane knows this exporter; without it, it gets every device"
    add("--controlplane.exporter", dest="exporter", default="", metavar="NAME", help=text)
    text = "where the last snapshot of the inventory is kept, encrypted"
    add("--inventory.cache", dest="cache", type=Path, metavar="FILE", help=text)
    text = "seconds between two looks at the inventory (%(default)s)"
    add("--inventory.refresh", dest="refresh", type=positive, default=5.0, metavar="S", help=text)


def _traps(made: argparse.ArgumentParser) -> None:
    add = made.add_argument_group("traps").add_argument
    text = "where to receive traps and informs (UDP), repeatable; without it they are not received"
    add("--traps.listen-address", dest="traps", action="append", metavar="ADDR", help=text)
    text = "traps a second that are taken of one device, ten seconds of it at once (%(default)s)"
    add("--traps.rate", dest="traps_rate", type=positive, default=10.0, metavar="N", help=text)
    text = "take traps of sources that are no device of the inventory, as events without a device"
    add("--traps.accept-unknown", dest="unknown", action=SWITCH, default=False, help=text)
    text = "an Alertmanager to tell of alerts that traps raise, repeatable"
    add("--alertmanager.url", dest="alertmanagers", action="append", metavar="URL", help=text)
    text = "where people reach the control plane, for links in alerts (that of --controlplane.url)"
    add("--controlplane.public-url", dest="public", default="", metavar="URL", help=text)


def _process(made: argparse.ArgumentParser) -> None:
    add = made.add_argument
    text = "check the configuration and exit"
    add("--dry-run", dest="dry_run", action="store_true", help=text)
    add("--log.level", dest="log_level", default="info", choices=LEVELS)
    add("--log.format", dest="log_format", default="logfmt", choices=["logfmt", "json"])
    add("--version", action="version", version=f"chm-exporter {version('catalyst-health-monitor')}")
    # How a process with siblings starts each of them; nobody types this.
    add("--worker", dest="worker", default="", help=argparse.SUPPRESS)


def positive(text: str) -> float:
    """Return a number above 0; argparse tells of a ValueError."""
    if not 0 < (number := float(text)) < float("inf"):
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    if not 0 <= (number := float(text)) < float("inf"):
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError(text)
    return number


def settings(flags: argparse.Namespace) -> Settings:
    """Return the settings, or raise UsageError."""
    if not re.fullmatch(r"/[!-z|~]*", flags.metrics_path):
        raise UsageError(f"--web.telemetry-path is not a path: {flags.metrics_path}")
    return Settings(
        config_files=tuple(flags.config),
        expand_environment=flags.expand,
        controlplane_url=flags.controlplane,
        controlplane_token_file=_token_file(flags),
        exporter_name=flags.exporter,
        verify_token_file=flags.verify,
        inventory_cache=flags.cache,
        inventory_refresh=flags.refresh,
        timeout_offset=flags.offset,
        metrics_path=flags.metrics_path,
        max_requests=flags.max_requests,
        device_concurrency=flags.devices,
        module_concurrency=flags.modules,
        walk_concurrency=flags.walks,
        breaker_failures=flags.failures,
        breaker_interval=flags.interval,
        wrap_large_counters=flags.wrap,
        source_address=source(flags.source),
        traps_listen=_trap_addresses(flags),
        traps_rate=flags.traps_rate,
        traps_accept_unknown=flags.unknown,
        alertmanager_urls=tuple(
            _url("--alertmanager.url", url) for url in flags.alertmanagers or ()
        ),
        public_url=(flags.public or flags.controlplane).rstrip("/"),
        replay_memory=(flags.replay << 20) // flags.workers,
    )


def _trap_addresses(flags: argparse.Namespace) -> tuple[str, ...]:
    if flags.traps and not flags.controlplane:
        raise UsageError("--traps.listen-address needs --controlplane.url, which knows the devices")
    for each in flags.traps or ():
        address("--traps.listen-address", each)
    return tuple(flags.traps or ())


def address(flag: str, text: str) -> tuple[str, int]:
    """Return the host and the port of `[HOST]:PORT`, or raise UsageError."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not int(port) <= LAST_PORT:
        raise UsageError(f"{flag} is not [HOST]:PORT: {text}")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - `:9116` means every address


def _url(flag: str, text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise UsageError(f"{flag} is not a URL: {text}")
    return text


def _token_file(flags: argparse.Namespace) -> Path | None:
    if not flags.controlplane:
        return None
    _url("--controlplane.url", flags.controlplane)
    if flags.token_file is None:
        raise UsageError("--controlplane.url needs --controlplane.token-file")
    return Path(flags.token_file)
