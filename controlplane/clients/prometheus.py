"""The HTTP API of Prometheus: queries, rules, reload; `fake` gives a client without a server.

What goes wrong is one of three: `NotRunning` (nothing listens there, or it is still starting),
`Refused` (it answered, and said no and why), `Unavailable` (no usable answer in time).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from controlplane.clients.client import Client
from controlplane.errors import Invalid, Unavailable


class NotRunning(Unavailable):
    """Nothing listens at the address of Prometheus, or it is still starting."""


class Refused(Invalid):
    """Prometheus answered that it will not do it; the detail is its reason."""


@dataclass(frozen=True)
class Sample:
    """One value of a series at a time (seconds since 1970); a scalar has no labels."""

    labels: Mapping[str, str]
    time: float
    value: float


@dataclass(frozen=True)
class Series:
    """The values of a series over a range: pairs of time (seconds since 1970) and value."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LoadedRule:
    """A rule as Prometheus runs it; `kind` is `recording` or `alerting`."""

    name: str
    kind: str
    query: str
    labels: Mapping[str, str]
    health: str
    last_error: str


@dataclass(frozen=True)
class LoadedGroup:
    """A rule group as Prometheus runs it; `interval` and `evaluation_time` in seconds."""

    name: str
    file: str
    interval: float
    evaluation_time: float
    rules: tuple[LoadedRule, ...]


class Prometheus(Client):
    """A client of one Prometheus; close it, or use it in `async with`."""

    patience = 30.0  # a query may take its time

    async def query(self, promql: str, at: datetime | None = None) -> tuple[Sample, ...]:
        """Evaluate an expression that gives a vector or a scalar, now or at a time."""
        form = {"query": promql} | ({"time": _seconds(at)} if at else {})
        data = await self._data("POST", "/api/v1/query", form)
        if data["resultType"] == "scalar":
            return (_sample({}, data["result"]),)
        if data["resultType"] != "vector":
            raise Refused(f"the expression gives a {data['resultType']}, not a vector: {promql}")
        return tuple(_sample(item["metric"], item["value"]) for item in data["result"])

    async def query_range(
        self,
        promql: str,
        start: datetime,
        end: datetime,
        step: float,
        timeout: float | None = None,  # noqa: ASYNC109 - Prometheus ends it
    ) -> tuple[Series, ...]:
        """Evaluate an expression every `step` seconds from `start` to `end`.

        After `timeout` seconds Prometheus gives up, and this is Unavailable. The answer may have
        a million points: it is read beside the loop.
        """
        times = {"start": _seconds(start), "end": _seconds(end), "step": str(step)}
        if timeout is not None:
            times["timeout"] = f"{timeout:g}s"
        form = {"query": promql, **times}
        response = await self._request("POST", "/api/v1/query_range", form)
        return await asyncio.to_thread(_matrix, response)

    async def format(self, promql: str) -> str:
        """Return an expression as Prometheus writes it; Refused where its parser knows better."""
        formatted: str = await self._data("POST", "/api/v1/format_query", {"query": promql})
        return formatted

    async def rules(self) -> tuple[LoadedGroup, ...]:
        """Return the rule groups that Prometheus runs."""
        data = await self._data("GET", "/api/v1/rules")
        return tuple(_group(item) for item in data["groups"])

    async def reload(self) -> None:
        """Have Prometheus read its configuration again; needs `--web.enable-lifecycle`."""
        await self._request("POST", "/-/reload")

    async def ready(self) -> bool:
        """Say whether Prometheus serves queries."""
        try:
            await self._request("GET", "/-/ready")
        except Unavailable:
            return False
        return True

    async def started_at(self) -> datetime:
        """Return when Prometheus began: what is younger has not evaluated everything yet."""
        data = await self._data("GET", "/api/v1/status/runtimeinfo")
        try:
            return datetime.fromisoformat(data["startTime"])
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("Prometheus does not say since when it runs") from error

    async def buildinfo(self) -> Mapping[str, str]:
        """Return `version`, `revision`, `goVersion` and the like."""
        data: Mapping[str, str] = await self._data("GET", "/api/v1/status/buildinfo")
        return data

    async def _data(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Any:
        return _content(await self._request(method, path, form))

    async def _request(
        self, method: str, path: str, form: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            response = await self._http.request(method, path, data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotRunning(f"Prometheus does not listen at {self._http.base_url}") from error
        except httpx.TransportError as error:
            raise Unavailable(f"Prometheus did not answer {path}: {error!r}") from error
        if response.is_success:
            return response
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            # As plain text it is the server that is not ready; as JSON, a query that took too long.
            if "json" in response.headers.get("content-type", ""):
                raise Unavailable(f"Prometheus: {_reason(response)}")
            raise NotRunning("Prometheus is still starting")
        raise Refused(f"Prometheus: {_reason(response)}")


@dataclass(frozen=True)
class Answer:
    """What a fake Prometheus answers to a path: JSON as `data` of the API, or plain text."""

    data: Any = None
    status: int = 200
    text: str = ""


def fake(answers: Mapping[str, Answer | httpx.TransportError]) -> Prometheus:
    """Return a client whose Prometheus gives these answers by path, and 404 to all others."""

    def answer(request: httpx.Request) -> httpx.Response:
        known = answers.get(request.url.path, Answer(status=404, text="404 page not found"))
        if isinstance(known, httpx.TransportError):
            raise known
        if known.text:
            return httpx.Response(known.status, text=known.text)
        return httpx.Response(known.status, json={"status": "success", "data": known.data})

    http = httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="http://prometheus.invalid"
    )
    return Prometheus(http)


def _content(response: httpx.Response) -> Any:
    try:
        return response.json()["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"what answers at {response.url} is not Prometheus") from error


def _matrix(response: httpx.Response) -> tuple[Series, ...]:
    return tuple(
        Series(item["metric"], tuple((float(time), float(value)) for time, value in item["values"]))
        for item in _content(response)["result"]
    )


def _reason(response: httpx.Response) -> str:
    """Return the words of an API error, of another error, or at least its status."""
    try:
        body = response.json()
    except ValueError:
        return response.text.strip() or f"HTTP {response.status_code}"
    return str(body["error"]) if isinstance(body, dict) and "error" in body else response.text


def _seconds(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"


def _sample(labels: Mapping[str, str], pair: tuple[float, str]) -> Sample:
    time, value = pair
    return Sample(labels, float(time), float(value))


def _group(item: Mapping[str, Any]) -> LoadedGroup:
    return LoadedGroup(
        item["name"],
        item["file"],
        float(item["interval"]),
        float(item["evaluationTime"]),
        tuple(_rule(rule) for rule in item["rules"]),
    )


def _rule(item: Mapping[str, Any]) -> LoadedRule:
    return LoadedRule(
        item["name"],
        item["type"],
        item["query"],
        item.get("labels") or {},
        item["health"],
        item.get("lastError") or "",
    )
