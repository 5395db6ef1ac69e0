"""The vault: sealed secrets open only in their place."""

from dataclasses import replace
from uuid import uuid4

import pytest

from controlplane.errors import ConfigurationError
from controlplane.vault import Place, Vault

PLACE = Place("credentials", uuid4())
SECRETS = {"community": "s3cret", "password": "correct horse"}


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(32)))


def test_what_was_sealed_opens(vault: Vault) -> None:
    """The secrets come back, and are not in what is stored."""
    sealed = vault.seal(PLACE, SECRETS)
    assert vault.open(PLACE, sealed) == SECRETS
    assert b"s3cret" not in sealed.data_key + b"".join(sealed.secrets.values())


def test_every_seal_has_keys_of_its_own(vault: Vault) -> None:
    """Sealing the same twice gives nothing in common."""
    one, other = vault.seal(PLACE, SECRETS), vault.seal(PLACE, SECRETS)
    assert one.data_key != other.data_key
    assert one.secrets["community"] != other.secrets["community"]


def test_a_secret_does_not_move_to_another_row(vault: Vault) -> None:
    """Who can write the database cannot make one device be asked with another's secret."""
    with pytest.raises(ConfigurationError):
        vault.open(Place("credentials", uuid4()), vault.seal(PLACE, SECRETS))


def test_a_secret_does_not_move_to_another_field(vault: Vault) -> None:
    """Nor put a password where the community goes, which the network sees in the clear."""
    sealed = vault.seal(PLACE, SECRETS)
    swapped = replace(sealed, secrets={"community": sealed.secrets["password"]})
    with pytest.raises(ConfigurationError):
        vault.open(PLACE, swapped)


def test_a_secret_is_bound_to_its_key_version(vault: Vault) -> None:
    """A row that claims another version of the key does not open."""
    with pytest.raises(ConfigurationError):
        vault.open(PLACE, replace(vault.seal(PLACE, SECRETS), key_version=2))


def test_another_key_opens_nothing(vault: Vault) -> None:
    """The error names the record and the likely cause."""
    with pytest.raises(ConfigurationError, match=r"vault\.key"):
        Vault(bytes(32)).open(PLACE, vault.seal(PLACE, SECRETS))


def test_a_short_key_is_refused() -> None:
    """AES-256 needs 32 bytes."""
    with pytest.raises(ConfigurationError):
        Vault(bytes(16))


def test_the_key_is_not_shown(vault: Vault) -> None:
    """Printing the vault prints no key."""
    assert repr(vault) == "Vault()"
