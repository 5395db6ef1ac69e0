"""Access tokens: the only place that touches python-jose, and stricter than it.

python-jose 3.5 ignores `crit`, takes an empty HMAC key, and passes a token without `aud` although
an audience is asked for. So: one algorithm, keys of at least 32 bytes, a header of known fields,
every claim required, and a `typ` of our own that keeps one kind of token from serving as another.
A token is worth nothing without its session: whoever reads one looks up its `sid`.
"""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from jose import jwt
from jose.exceptions import JOSEError
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.signing import Key, SigningKeys
from controlplane.errors import ConfigurationError, Unauthenticated

ALGORITHM = "HS256"
AUDIENCE = "chm"
ISSUER = "chm"
KIND = "access"
HEADER_FIELDS = frozenset({"alg", "typ", "kid"})
KEY_BYTES = 32
CLAIMS = ("exp", "iat", "nbf", "sub", "jti", "aud", "iss")
MAX_LENGTH = 4096
MOST = 10_000  # tokens that are remembered to be good
CLOCK_SECONDS = 5  # by which the clocks of replicas may differ
REFUSED = "the access token is not valid"
WRONG = (JOSEError, ValueError, KeyError, TypeError, AttributeError)  # all that a forgery causes


@dataclass(frozen=True)
class Claims:
    """What an access token says: whose it is, and of which session."""

    user: UUID
    session: UUID


@dataclass(frozen=True)
class Verified:
    """A token that was found good, by which key, and the second since the epoch that ends it."""

    key: UUID
    ends: float
    claims: Claims


@dataclass(frozen=True)
class AccessTokens:
    """Issues and reads the access tokens of people; `lifetime` in seconds.

    A token that is shown again is not verified again, for that takes longer than all else about
    it; whether its key is still trusted and its time is not over is looked at each time.
    """

    keys: SigningKeys
    lifetime: float
    _verified: OrderedDict[bytes, Verified] = field(default_factory=OrderedDict, repr=False)

    async def issue(self, session: AsyncSession, claims: Claims) -> str:
        """Make a token for a session that has just been opened or refreshed."""
        return encode(await self.keys.current(session), claims, self.lifetime)

    async def read(self, session: AsyncSession, token: str) -> Claims:
        """Give what a token says, or raise Unauthenticated without saying why."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None and time.time() >= known.ends:
            raise Unauthenticated(REFUSED)
        key = await self.keys.find(session, known.key if known else key_id(token))
        if key is None:
            raise Unauthenticated(REFUSED)
        if known is None:
            known = self._verified[digest] = verify(key, token)
            while len(self._verified) > MOST:
                self._verified.popitem(last=False)
        return known.claims


def encode(key: Key, claims: Claims, lifetime: float) -> str:
    """Sign a token that is good for `lifetime` seconds."""
    _check(key)
    issued = int(time.time())
    content = {
        "sub": str(claims.user),
        "sid": str(claims.session),
        "iat": issued,
        "nbf": issued - CLOCK_SECONDS,
        "exp": issued + int(lifetime),
        "jti": str(uuid4()),
        "aud": AUDIENCE,
        "iss": ISSUER,
        "typ": KIND,
    }
    return jwt.encode(content, key.secret, algorithm=ALGORITHM, headers={"kid": str(key.id)})


def key_id(token: str) -> UUID:
    """Give the key a token claims to be signed with; a header with anything unusual is refused."""
    try:
        if len(token) > MAX_LENGTH:
            raise ValueError("too long")
        header = jwt.get_unverified_header(token)
        if not header.keys() <= HEADER_FIELDS or header["alg"] != ALGORITHM:
            raise ValueError("header")
        return UUID(header["kid"])
    except WRONG:
        raise Unauthenticated(REFUSED) from None


def verify(key: Key, token: str) -> Verified:
    """Give what a token says, or raise Unauthenticated."""
    _check(key)
    try:
        if key_id(token) != key.id:
            raise ValueError("kid")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={f"require_{claim}": True for claim in CLAIMS},
        )
        if claims["typ"] != KIND:
            raise ValueError("typ")
        says = Claims(UUID(claims["sub"]), UUID(claims["sid"]))
        return Verified(key.id, float(claims["exp"]), says)
    except WRONG:
        raise Unauthenticated(REFUSED) from None


def _check(key: Key) -> None:
    if len(key.secret) < KEY_BYTES:
        raise ConfigurationError(
            f"the key of access tokens has {len(key.secret)} bytes, fewer than {KEY_BYTES}"
        )
