"""The vault: secrets at rest, sealed record by record; whoever owns a record calls it."""

from controlplane.vault.envelope import Place, Sealed, Vault
from controlplane.vault.ring import Ring

__all__ = ["Place", "Ring", "Sealed", "Vault"]
