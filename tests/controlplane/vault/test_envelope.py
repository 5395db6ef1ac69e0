"""The vault: sealed secrets open only in their place."""

from dataclasses import replace
from uuid import uuid4

import pytest

from controlplane.errors import ConfigurationError, Unreadable
from controlplane.vault import Place, Vault
from controlplane.vault.ring import Given

PLACE = Place("credentials", uuid4())
SECRETS = {"community": "s3cret", "password": "correct horse"}


KEY, NEXT_KEY = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def vault() -> Vault:
    return Vault(Given({1: KEY}, 1))


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
    with pytest.raises(Unreadable):
        vault.open(Place("credentials", uuid4()), vault.seal(PLACE, SECRETS))


def test_a_secret_does_not_move_to_another_field(vault: Vault) -> None:
    """Nor put a password where the community goes, which the network sees in the clear."""
    sealed = vault.seal(PLACE, SECRETS)
    swapped = replace(sealed, secrets={"community": sealed.secrets["password"]})
    with pytest.raises(Unreadable):
        vault.open(PLACE, swapped)


def test_a_secret_is_bound_to_its_key_version(vault: Vault) -> None:
    """A row that claims another version of the key does not open."""
    with pytest.raises(Unreadable):
        vault.open(PLACE, replace(vault.seal(PLACE, SECRETS), key_version=2))


def test_another_key_opens_nothing(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    """The error and the log name the record, and whoever counts is told."""
    refused: list[Place] = []
    other = Vault(Given({1: NEXT_KEY}, 1), refused.append)
    with pytest.raises(Unreadable, match="another key"):
        other.open(PLACE, vault.seal(PLACE, SECRETS))
    assert refused == [PLACE]
    assert str(PLACE.record) in caplog.text


@pytest.mark.parametrize("position", [0, 4, 10, 20, 40, -1])
def test_no_flipped_bit_goes_unseen(vault: Vault, position: int) -> None:
    """Wherever it is in the wrapped data key or the secret: version, nonce, ciphertext, tag."""
    sealed = vault.seal(PLACE, {"password": "a passphrase of some length, so it has that many"})
    for altered in (
        replace(sealed, data_key=flipped(sealed.data_key, position)),
        replace(sealed, secrets={"password": flipped(sealed.secrets["password"], position)}),
    ):
        with pytest.raises(Unreadable):
            vault.open(PLACE, altered)


@pytest.mark.parametrize("stored", [b"", b"\x00\x00\x00\x01", bytes(10), bytes(20)])
def test_what_is_cut_short_does_not_open(vault: Vault, stored: bytes) -> None:
    """A data key or a secret of which a part is missing is altered like any other."""
    sealed = vault.seal(PLACE, SECRETS)
    for altered in (replace(sealed, data_key=stored), replace(sealed, secrets={"a": stored})):
        with pytest.raises(Unreadable):
            vault.open(PLACE, altered)


def test_a_data_key_is_wrapped_anew_and_secrets_stay(vault: Vault) -> None:
    """After a rotation the same ciphertexts open under the new key, and no longer need the old."""
    sealed = vault.seal(PLACE, SECRETS)
    both = Vault(Given({1: KEY, 2: NEXT_KEY}, 2))
    version, data_key = both.rewrap(PLACE, sealed.key_version, sealed.data_key)
    rotated = replace(sealed, key_version=version, data_key=data_key)

    assert version == 2
    assert Vault(Given({2: NEXT_KEY}, 2)).open(PLACE, rotated) == SECRETS
    with pytest.raises(Unreadable):
        vault.open(PLACE, rotated)
    with pytest.raises(Unreadable):
        both.open(PLACE, replace(rotated, key_version=1))


def test_a_short_key_is_refused() -> None:
    """AES-256 needs 32 bytes."""
    with pytest.raises(ConfigurationError):
        Vault(Given({1: bytes(16)}, 1))


def test_the_key_is_not_shown(vault: Vault) -> None:
    """Printing the vault prints no key."""
    assert repr(KEY)[2:-1] not in repr(vault)
    assert "keys" not in repr(vault)


def flipped(stored: bytes, position: int) -> bytes:
    altered = bytearray(stored)
    altered[position] ^= 1
    return bytes(altered)
