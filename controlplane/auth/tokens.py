"""Access tokens: the only place that touches python-jose, and stricter than it.

python-jose 3.5 ignores `crit`, takes an empty HMAC key, and passes a token without `aud` although
an audience is asked for. So: one algorithm, a key of at least 32 bytes, a header of known fields,
every claim required, and a `typ` of our own that keeps one kind of token from serving as another.
"""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from jose import jwt
from jose.exceptions import JOSEError

from controlplane.errors import ConfigurationError, Unauthenticated

ALGORITHM = "HS256"
AUDIENCE = "chm"
ISSUER = "chm"
HEADER_FIELDS = frozenset({"alg", "typ", "kid"})
KEY_BYTES = 32
CLAIMS = ("exp", "iat", "nbf", "sub", "jti", "aud", "iss")
MAX_LENGTH = 4096
REFUSED = "the access token is not valid"


@dataclass(frozen=True)
class AccessTokens:
    """Issues and reads the access tokens of people; `lifetime` in seconds."""

    key: bytes = field(repr=False)
    lifetime: float

    def __post_init__(self) -> None:
        if len(self.key) < KEY_BYTES:
            raise ConfigurationError(
                f"the key of access tokens has {len(self.key)} bytes, fewer than {KEY_BYTES}"
            )

    def issue(self, user: UUID) -> str:
        """Make a token for a person who has just proved who they are."""
        issued = int(time.time())
        claims = {
            "sub": str(user),
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(self.lifetime),
            "jti": str(uuid4()),
            "aud": AUDIENCE,
            "iss": ISSUER,
            "typ": "access",
        }
        return jwt.encode(claims, self.key, algorithm=ALGORITHM)

    def read(self, token: str) -> UUID:
        """Give the person a token speaks for, or raise Unauthenticated without saying why."""
        try:
            claims = self._claims(token)
            return UUID(claims["sub"])
        except (JOSEError, ValueError, KeyError, TypeError, AttributeError):
            raise Unauthenticated(REFUSED) from None

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_LENGTH:
            raise ValueError("too long")
        header = jwt.get_unverified_header(token)
        if not header.keys() <= HEADER_FIELDS or header.get("alg") != ALGORITHM:
            raise ValueError("header")
        claims: dict[str, Any] = jwt.decode(
            token,
            self.key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={f"require_{claim}": True for claim in CLAIMS},
        )
        if claims.get("typ") != "access":
            raise ValueError("typ")
        return claims
