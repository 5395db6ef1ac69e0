"""What the endpoints share: settings, the configuration in use, the inventory, the memory."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from exporter import config
from exporter.app.flights import Flights
from exporter.config import ConfigError
from exporter.exposition import Page
from exporter.inventory import Inventory
from exporter.probe import Devices, Prober, Scraper
from exporter.profiles import loader, values
from exporter.profiles.loader import Configuration
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from exporter.traps import Traps

log = logging.getLogger(__name__)


def load(settings: Settings) -> Configuration:
    """Return the configuration that the settings name, or raise ConfigError."""
    wrap = values.WRAP if settings.wrap_large_counters else 0
    configuration = loader.load(settings.config_files, wrap)
    if not settings.expand_environment:
        return configuration
    return replace(configuration, auths=config.expanded(configuration.auths, os.environ))


def _alone() -> None:
    """Tell nobody: this process has no siblings."""


@dataclass(slots=True)
class Exporter:
    """One process that serves; `reloaded` tells its siblings that there is a new configuration."""

    settings: Settings
    telemetry: Telemetry
    configuration: Configuration
    inventory: Inventory | None
    siblings: Callable[[], None] = _alone
    traps: Traps | None = field(default=None, init=False)
    scraper: Scraper = field(init=False)
    prober: Prober = field(init=False)
    flights: Flights[Page] = field(init=False)
    requests: int = field(default=0, init=False)
    reloading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        devices = Devices(self.settings, self.telemetry)
        self.scraper = Scraper(self.settings, self.telemetry, devices)
        self.prober = Prober(self.settings, self.telemetry, devices)
        self.flights = Flights(self.telemetry)
        self._loaded()

    async def reload(self) -> None:
        """Read the configuration files again; raise ConfigError and keep the old on a bad one.

        Scrapes go on meanwhile: large files take seconds.
        """
        async with self.reloading:
            await self._reload()

    async def _reload(self) -> None:
        try:
            self.configuration = await asyncio.to_thread(load, self.settings)
        except ConfigError as error:
            self.telemetry.reload_successful.set(0)
            log.error("configuration not reloaded", extra={"error": str(error)})  # noqa: TRY400 - a mistake in a file, not in the code
            raise
        self._loaded()
        log.info("configuration reloaded")

    def _loaded(self) -> None:
        self.telemetry.reload_successful.set(1)
        self.telemetry.reloaded.set(time.time())
