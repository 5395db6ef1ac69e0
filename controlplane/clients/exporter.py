"""The exporter, asked to try or to poll a device at once (docs/architecture.md, 4.8 and 4.10)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

TIMEOUT_SECONDS = 25.0  # the exporter itself takes 5 at most to verify, and 20 to poll
UNTESTED = "untested"


class Outcome(BaseModel):
    """What came of a test: `ok`, a reason of the exporter, or that it could not be tested."""

    outcome: str
    detail: str


class Collector(Outcome):
    """How one collector fared: what it found in a few words, and in how many seconds."""

    name: str
    found: str
    seconds: float
    samples: int


class Report(Outcome):
    """What came of a poll: the auth and the profile in use, and every collector in turn.

    `exposition` are the families that were asked for, in the text format of a scrape.
    """

    seconds: float = 0.0
    auth: str = ""
    profile: str = ""
    collectors: list[Collector] = []
    exposition: str = ""


Answer = TypeVar("Answer", bound=Outcome)


@dataclass(frozen=True)
class Verifier:
    """Asks exporters, each by its `host:port`; one that fails is an outcome, too."""

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
        """Have one exporter try an auth on a device."""
        body = {"address": address, "port": port, "auth": dict(auth)}
        return await self._order(exporter, "verify", body, Outcome)

    async def poll(
        self,
        exporter: str,
        device: Mapping[str, Any],
        auths: Mapping[str, Any],
        families: Sequence[str],
    ) -> Report:
        """Have one exporter ask a device, described as in the snapshot, all there is."""
        body = {"device": device, "auths": auths, "families": families}
        return await self._order(exporter, "poll", body, Report)

    async def _order(
        self, exporter: str, path: str, body: Mapping[str, Any], kind: type[Answer]
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"http://{exporter}/{path}"
        try:
            answer = await self.client.post(url, json=body, headers=headers)
        except httpx.HTTPError as error:
            detail = f"the exporter {exporter} does not answer: {type(error).__name__}"
            return kind(outcome=UNTESTED, detail=detail)
        try:
            if answer.is_success:
                return kind.model_validate_json(answer.content)
        except ValidationError:
            pass  # said below, as for any other answer that is none
        detail = f"the exporter {exporter} answered {answer.status_code}"
        return kind(outcome=UNTESTED, detail=detail)
