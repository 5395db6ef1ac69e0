"""Two writers on one object: the second learns that what it saw is no more (RFC 9110, 13.1.1).

On some objects nobody writes without saying what they saw (RFC 6585, section 3).
"""

from typing import Annotated

from fastapi import Header, Response

from controlplane.errors import Stale

ANY = "*"
HEADER = "If-Match"

IfMatch = Annotated[
    str | None,
    Header(alias=HEADER, description="The ETag that was read: 412 if it changed since."),
]

IfMatchRequired = Annotated[
    str,
    Header(
        alias=HEADER,
        description="The ETag that was read: 412 if it changed since, 428 if it is not given.",
    ),
]


def etag(version: int) -> str:
    """Give the strong entity tag of a version."""
    return f'"{version}"'


def tag(response: Response, version: int) -> None:
    """Tell the client which version it sees."""
    response.headers["ETag"] = etag(version)


def check(version: int, if_match: str | None) -> None:
    """Raise Stale where the client wants another version than the object has; None wants any."""
    if if_match is None or if_match.strip() == ANY:
        return
    if etag(version) not in {one.strip() for one in if_match.split(",")}:
        raise Stale(f"this is version {version} by now: somebody else changed it", etag(version))
