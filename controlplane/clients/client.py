"""What the clients of servers over HTTP have in common: an address, patience, and an end."""

from types import TracebackType
from typing import ClassVar, Self

import httpx


class Client:
    """A client of one server; close it, or use it in `async with`."""

    patience: ClassVar[float] = 10.0
    """Seconds for each request, unless told otherwise."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @classmethod
    def at(cls, url: str, timeout: float | None = None) -> Self:
        """Return a client of the server at `url`; `timeout` seconds for each request."""
        seconds = cls.patience if timeout is None else timeout
        # No proxy of the environment: what is asked stands beside us.
        http = httpx.AsyncClient(base_url=url.rstrip("/"), timeout=seconds, trust_env=False)
        return cls(http)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
