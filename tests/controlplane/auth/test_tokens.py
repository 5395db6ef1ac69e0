"""Access tokens: what python-jose lets through must not get through here."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from controlplane.auth import tokens
from controlplane.auth.signing import Key
from controlplane.auth.tokens import Claims
from controlplane.errors import ConfigurationError, Unauthenticated

SECRET = bytes(range(32))
KEY = Key(UUID("0a4b1b0e-3a0b-4b57-9d0c-0d7a4b1d9c01"), SECRET)
CLAIMS = Claims(
    UUID("5b0f6ed5-2d5a-4ad4-9a0f-6b9c7a8f1a11"), UUID("7d9a1f8c-1d5e-4b0f-8f55-7b1f7a1c2b22")
)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "sub": str(CLAIMS.user),
        "sid": str(CLAIMS.session),
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": str(uuid4()),
        "aud": "chm",
        "iss": "chm",
        "typ": "access",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def forge(claims: Any, key: bytes = SECRET, **header: Any) -> str:
    """Make a token without any library's opinion about it."""
    head = {"alg": "HS256", "typ": "JWT", "kid": str(KEY.id)} | header
    parts = [_encode(json.dumps(part).encode()) for part in (head, claims)]
    signing = ".".join(parts)
    return f"{signing}.{_encode(hmac.new(key, signing.encode(), hashlib.sha256).digest())}"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def test_a_token_speaks_for_its_user() -> None:
    """What was issued is read back as the same person."""
    assert tokens.verify(KEY, tokens.encode(KEY, CLAIMS, 60)).claims == CLAIMS


def test_the_forge_is_good() -> None:
    """The tokens below fail for what is wrong with them, not for how they are made."""
    assert tokens.verify(KEY, forge(claims())).claims == CLAIMS


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "sub", "sid", "jti", "aud", "iss", "typ"])
def test_every_claim_is_required(name: str) -> None:
    """A token that lacks one claim is refused, also `aud`, which python-jose lets be missing."""
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, forge(claims(**{name: None})))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 1},
        {"nbf": int(time.time()) + 600},
        {"aud": "other"},
        {"iss": "other"},
        {"typ": "refresh"},
        {"sid": "not-a-uuid"},
        {"sub": "not-a-uuid"},
        {"sub": 7},
    ],
)
def test_wrong_claims_are_refused(changes: dict[str, Any]) -> None:
    """Expired, not yet valid, for others, from others, of another kind, of nobody: refused."""
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, forge(claims(**changes)))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"kid": str(uuid4())},
        {"kid": "../../dev/null"},
        {"kid": None},
    ],
)
def test_foreign_headers_are_refused(header: dict[str, Any]) -> None:
    """A header with `crit`, a key of its own, or another algorithm is refused."""
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, forge(claims(), **header))


def test_alg_none_without_signature_is_refused() -> None:
    """An unsigned token is refused."""
    head, body, _ = forge(claims(), alg="none").split(".")
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, f"{head}.{body}.")


@pytest.mark.parametrize("key", [b"", b"key", bytes(32)])
def test_another_key_is_refused(key: bytes) -> None:
    """A signature by another key, the empty one too, is refused."""
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, forge(claims(), key))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "\x00", "é" * 10, "x" * 100_000])
def test_rubbish_is_refused(token: str) -> None:
    """What is no token at all is refused, not a fault."""
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, token)


@pytest.mark.parametrize("body", [[], "text", 1, None])
def test_claims_must_be_an_object(body: Any) -> None:
    """Signed JSON that is no object is refused."""
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, forge(body))


def test_a_tampered_token_is_refused() -> None:
    """Changing the claims breaks the signature."""
    head, _, signature = tokens.encode(KEY, CLAIMS, 60).split(".")
    other = forge(claims(sub=str(uuid4()))).split(".")[1]
    with pytest.raises(Unauthenticated):
        tokens.verify(KEY, f"{head}.{other}.{signature}")


@pytest.mark.parametrize("key", [b"", b"short", bytes(31)])
def test_a_short_key_is_refused(key: bytes) -> None:
    """Nothing is signed or verified with a key that can be guessed."""
    with pytest.raises(ConfigurationError, match="fewer than 32"):
        tokens.verify(Key(KEY.id, key), forge(claims(), key))


def test_the_key_is_not_shown() -> None:
    """Printing a key, in a log or a traceback, does not print its secret."""
    assert repr(SECRET) not in repr(KEY)
    assert "secret" not in repr(KEY)


class Keys:
    """Knows one key, until it is dropped."""

    known: Key | None = KEY

    async def find(self, _session: object, key_id: UUID) -> Key | None:
        """Give the key, if it is this one."""
        return self.known if self.known and self.known.id == key_id else None


async def test_a_token_is_looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was good is refused when its time is over, and when its key is trusted no more."""
    keys, session = Keys(), cast("Any", None)
    reader = tokens.AccessTokens(cast("Any", keys), 60)
    token, other = tokens.encode(KEY, CLAIMS, 60), tokens.encode(KEY, CLAIMS, 60)
    verified: list[str] = []

    def verify(key: Key, shown: str) -> tokens.Verified:
        verified.append(shown)
        return real(key, shown)

    real = tokens.verify
    monkeypatch.setattr(tokens, "verify", verify)
    for shown in (token, token, other, token):
        assert await reader.read(session, shown) == CLAIMS
    assert verified == [token, other]

    keys.known = None
    with pytest.raises(Unauthenticated):
        await reader.read(session, token)
    keys.known = KEY
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Unauthenticated):
        await reader.read(session, other)


async def test_a_token_that_looks_like_a_good_one() -> None:
    """What is remembered is the whole token: another signature is none of it."""
    reader, session = tokens.AccessTokens(cast("Any", Keys()), 60), cast("Any", None)
    token = tokens.encode(KEY, CLAIMS, 60)
    assert await reader.read(session, token) == CLAIMS
    head, body, _ = token.split(".")
    _, _, signature = tokens.encode(KEY, CLAIMS, 61).split(".")
    with pytest.raises(Unauthenticated):
        await reader.read(session, f"{head}.{body}.{signature}")
