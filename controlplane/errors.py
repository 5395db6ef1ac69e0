"""What can go wrong in the control plane, each with its HTTP status.

ChmError                    500
├── Invalid                 422  the request is well-formed but cannot be done as asked
│   └── WrongProof          422  the password or code that should prove who it is; it is counted
├── Unauthenticated         401
├── Forbidden               403
├── NotFound                404
├── TooSlow                 408  the request was not here in time
├── Conflict                409
├── Unreadable              409  a stored secret was altered, or its key is gone; set it anew
├── Stale                   412  the object is no longer the version the client saw
├── TooLarge                413
├── Misdirected             421  the Host header does not name us
├── TooMany                 429  the same request is welcome again later; says when
├── Unconditional           428  a change that must say which version it changes, and does not
├── HeadersTooLarge         431
├── Unavailable             503  a part we depend on does not answer; try again
│   └── Busy                503  too much of the same at once; says when to try again
├── Overdue                 504  the answer was not ready in time
└── ConfigurationError      500  a setting or file cannot be used; services refuse to start
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ALTERNATIVE = "alternative:"  # begins the tag of one of several schemas, which is no place


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input: where (an RFC 6901 pointer), a code, and words."""

    pointer: str
    code: str
    message: str

    def under(self, prefix: str) -> "Problem":
        """Give the same problem as seen from further out, where the input stands at `prefix`."""
        return Problem(prefix + self.pointer, self.code, self.message)


def pointer(path: Iterable[str | int]) -> str:
    """Write the way to a field as an RFC 6901 pointer."""
    written = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    return written.encode(errors="replace").decode()  # a client's key may be no valid Unicode


def from_validation(errors: Iterable[Mapping[str, Any]], skip: int = 0) -> tuple[Problem, ...]:
    """Translate pydantic's errors, leaving out the input itself: it may hold a secret.

    `skip` is how many steps of each location are the framework's and not the document's.
    """
    return tuple(
        Problem(
            pointer(step for step in e["loc"][skip:] if not str(step).startswith(ALTERNATIVE)),
            str(e["type"]),
            str(e["msg"]).removeprefix("Value error, "),
        )
        for e in errors
    )


class ChmError(Exception):
    """The root: carries a sentence for people and, where they apply, the fields at fault."""

    status = 500
    title = "Internal error"
    retry_after: float | None = None  # seconds, where waiting helps
    keeps_work = False  # whether what was written before the refusal is committed all the same

    def __init__(self, detail: str, *problems: Problem) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = problems


class Invalid(ChmError):
    """The request is well-formed but cannot be done as asked."""

    status = 422
    title = "Invalid request"


class WrongProof(Invalid):
    """The password or code that should prove who is asking is wrong, and that is remembered."""

    keeps_work = True


class Unauthenticated(ChmError):
    """Nobody is logged in, or the token is not valid."""

    status = 401
    title = "Not authenticated"


class Forbidden(ChmError):
    """The actor is known and may not do this."""

    status = 403
    title = "Forbidden"


class NotFound(ChmError):
    """The named object does not exist, or not for this actor."""

    status = 404
    title = "Not found"


class Conflict(ChmError):
    """The object exists already or was changed by somebody else."""

    status = 409
    title = "Conflict"


class Unreadable(ChmError):
    """A stored secret does not open: altered, moved, or its key is gone. Setting it anew helps."""

    status = 409
    title = "Unreadable secret"


class Stale(ChmError):
    """The object changed since the client saw it; `etag` is its version now; None of a list."""

    status = 412
    title = "Precondition failed"

    def __init__(self, detail: str, etag: str | None, *problems: Problem) -> None:
        super().__init__(detail, *problems)
        self.etag = etag


class Unconditional(ChmError):
    """The request does not say which version of the object it changes."""

    status = 428
    title = "Precondition required"


class TooSlow(ChmError):
    """The request did not arrive in time."""

    status = 408
    title = "Request timeout"


class TooLarge(ChmError):
    """The request has more bytes than are allowed."""

    status = 413
    title = "Content too large"


class HeadersTooLarge(ChmError):
    """The request's line and headers have more bytes than are allowed."""

    status = 431
    title = "Request header fields too large"


class Misdirected(ChmError):
    """The request is for a host that is not us."""

    status = 421
    title = "Misdirected request"


class TooMany(ChmError):
    """Too often; `retry_after` seconds from now it is welcome again."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(ChmError):
    """A part this answer depends on is not there; the same request may succeed later."""

    status = 503
    title = "Unavailable"


class Busy(Unavailable):
    """Too much of the same at once; `retry_after` seconds from now there is room."""

    title = "Busy"

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Overdue(ChmError):
    """The answer was not ready in time."""

    status = 504
    title = "Timeout"


class ConfigurationError(ChmError):
    """A setting, key or file of the operator cannot be used; the sentence names it."""
