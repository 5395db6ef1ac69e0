"""What must be true before anything is started: a folder of our own, free ports, the programs."""

import fcntl
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from controlplane.errors import ConfigurationError
from controlplane.settings import Settings

TCP = socket.SOCK_STREAM


@contextmanager
def data_folder(settings: Settings) -> Iterator[None]:
    """Hold the data folder; a second stack in the same folder is refused."""
    lock = settings.data / ".lock"
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        handle = lock.open("w", encoding="ascii")
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {settings.data.absolute()} (CHM_DATA) cannot be written:"
            f" {error.strerror}"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationError(
                f"another stack runs in {settings.data.absolute()} (CHM_DATA)"
            ) from None
        yield


def check_ports(settings: Settings, *, demo: bool) -> None:
    """Refuse to start where a port is taken, naming the setting that chooses another."""
    wanted = ["controlplane", "exporter", "prometheus", "alertmanager", "traps"]
    wanted += ["lab_http"] * demo + ["grafana"] * (shutil.which("grafana") is not None)
    for service in wanted:
        setting = f"{service}_port"
        host = "127.0.0.1" if service == "lab_http" else settings.host
        port: int = getattr(settings, setting)
        reason = _refusal(host, port, socket.SOCK_DGRAM if service == "traps" else TCP)
        if reason:
            raise ConfigurationError(
                f"port {port} on {host} for {service.partition('_')[0]}: {reason}"
                f" (choose another with CHM_{setting.upper()})"
            )


def _refusal(host: str, port: int, kind: socket.SocketKind) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as attempt:
        if kind == TCP:  # of UDP it would let two have the port
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return ""
