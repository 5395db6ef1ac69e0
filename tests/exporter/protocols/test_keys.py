import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import Auth
from exporter.protocols.snmp import keys
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.privacy import CbcDes, CfbAes

ENGINE = bytes(11) + b"\x02"  # of the examples in RFC 3414

steady = settings(max_examples=100, deadline=None, derandomize=True, database=None)


class TestLocalised:
    @pytest.mark.parametrize(
        ("protocol", "key"),
        [
            ("MD5", "526f5eed9fcce26f8964c2930787d82b"),
            ("SHA", "6695febc9288e36282235fc7151f128497b38f3f"),
        ],
    )
    def test_examples(self, protocol: str, key: str) -> None:
        """Keys are those of the examples in RFC 3414, A.3."""
        auth = Auth(
            version=3,
            username="u",
            security_level="authNoPriv",
            auth_protocol=protocol,  # type: ignore[arg-type]
            password="maplesyrup",
        )
        signer = keys.localised(auth, ENGINE).signer
        assert signer is not None
        assert signer.key.hex() == key

    def test_secret(self) -> None:
        """Keys do not show when they are printed."""
        auth = Auth(version=3, username="u", security_level="authNoPriv", password="maplesyrup")
        found = keys.localised(auth, ENGINE)
        assert found.signer is not None
        assert found.signer.key.hex() not in repr(found) + repr(found.signer)
        assert repr(found.signer.key) not in repr(found) + repr(found.signer)


class TestPrivacy:
    @steady
    @given(st.sampled_from([16, 24, 32]), st.binary(max_size=200), st.integers(0, 2**40))
    def test_cfb(self, size: int, data: bytes, clock: int) -> None:
        """AES by single blocks is AES in CFB mode, both ways and for every length."""
        key, salt = bytes(range(size)), b"saltsalt"
        cipher = CfbAes(key)
        vector = (clock % 2**32).to_bytes(4, "big") + (clock % 2**32).to_bytes(4, "big") + salt
        expected = Cipher(AES(key), CFB(vector)).encryptor().update(data)

        assert cipher.encrypt(data, clock, clock, salt) == expected
        assert cipher.decrypt(expected, clock, clock, salt) == data

    @steady
    @given(st.binary(max_size=100))
    def test_des(self, data: bytes) -> None:
        """DES brings data back, with at most seven octets of padding."""
        cipher = CbcDes(bytes(range(16)))
        salt = cipher.salt(7, 3)
        plain = cipher.decrypt(cipher.encrypt(data, 3, 4, salt), 3, 4, salt)

        assert plain[: len(data)] == data
        assert len(plain) - len(data) < 8

    @pytest.mark.parametrize("cipher", [CbcDes(bytes(16)), CfbAes(bytes(16))])
    def test_nonsense(self, cipher: CbcDes | CfbAes) -> None:
        """What was never encrypted so is malformed."""
        with pytest.raises(Malformed):
            cipher.decrypt(bytes(9), 0, 0, b"short")
