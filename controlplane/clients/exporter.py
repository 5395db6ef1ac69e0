"""The exporter, asked to try credentials on a device (docs/architecture.md, 4.8)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

TIMEOUT_SECONDS = 10.0  # the exporter itself takes half of that at most
UNTESTED = "untested"


class Outcome(BaseModel):
    """What came of a test: `ok`, a reason of the exporter, or that it could not be tested."""

    outcome: str
    detail: str


@dataclass(frozen=True)
class Verifier:
    """Asks exporters, each by its `host:port`."""

    client: httpx.AsyncClient
    token: str = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def open(cls, token: str) -> AsyncIterator["Verifier"]:
        """Lend one that is closed at the end."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            yield cls(client, token)

    async def verify(
        self, exporter: str, address: str, port: int, auth: Mapping[str, Any]
    ) -> Outcome:
        """Have one exporter try an auth on a device; an exporter that fails is an outcome, too."""
        body = {"address": address, "port": port, "auth": dict(auth)}
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = await self.client.post(f"http://{exporter}/verify", json=body, headers=headers)
        except httpx.HTTPError as error:
            detail = f"the exporter {exporter} does not answer: {type(error).__name__}"
            return Outcome(outcome=UNTESTED, detail=detail)
        try:
            if answer.is_success:
                return Outcome.model_validate_json(answer.content)
        except ValidationError:
            pass  # said below, as for any other answer that is none
        detail = f"the exporter {exporter} answered {answer.status_code}"
        return Outcome(outcome=UNTESTED, detail=detail)
