"""What the command line decides about a running exporter."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process; times in seconds."""

    config_files: tuple[str, ...] = ()
    expand_environment: bool = False
    controlplane_url: str = ""
    controlplane_token_file: Path | None = None
    exporter_name: str = ""
    verify_token_file: Path | None = None
    inventory_cache: Path | None = None
    inventory_refresh: float = 5.0
    # Of the time Prometheus allows, what is kept for the way back.
    timeout_offset: float = 0.5
    default_timeout: float = 120.0
    metrics_path: str = "/metrics"
    max_requests: int = 1024
    # Scrapes of one device, modules of one scrape, walks of one module that run side by side.
    device_concurrency: int = 1
    module_concurrency: int = 1
    walk_concurrency: int = 1
    # So many scrapes without any answer, and a device is left alone for so long.
    breaker_failures: int = 3
    breaker_interval: float = 20.0
    wrap_large_counters: bool = True
    source_address: str = ""
    # Where traps are received, how many a second of one source, and who is told of their alerts.
    traps_listen: tuple[str, ...] = ()
    traps_rate: float = 10.0
    traps_accept_unknown: bool = False
    alertmanager_urls: tuple[str, ...] = ()
    public_url: str = ""
    # Bytes in which walks are remembered, to read the next of them by their layout; 0 is none.
    replay_memory: int = 256 << 20
