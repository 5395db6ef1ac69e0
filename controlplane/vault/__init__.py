"""The vault: secrets at rest, sealed record by record; whoever owns a record calls it."""

from controlplane.vault.envelope import Place, Sealed, Vault

__all__ = ["Place", "Sealed", "Vault"]
