"""What the command line decides about a running exporter."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process; times in seconds."""

    config_files: tuple[str, ...] = ()
    controlplane_url: str = ""
    controlplane_token: str = ""
    inventory_cache: Path | None = None
    inventory_refresh: float = 5.0
    timeout_offset: float = 0.5
    default_timeout: float = 120.0

    def __repr__(self) -> str:
        """Return the settings without the token."""
        return f"Settings(config_files={self.config_files}, controlplane={self.controlplane_url})"
