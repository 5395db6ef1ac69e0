"""What the vault says about itself."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from controlplane.vault.envelope import Place


class VaultMetrics:
    """Counts what does not open."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refusals = Counter(
            "chm_vault_refusals",
            "Sealed records that did not open when asked for: altered, moved, or without a key.",
            ("table",),
            registry=registry,
        )
        self.unreadable = Gauge(
            "chm_vault_unreadable_credentials",
            "Credentials that the newest snapshot for the exporter had to leave out.",
            registry=registry,
        )

    def refused(self, place: Place) -> None:
        """Count one record that did not open."""
        self._refusals.labels(place.table).inc()
