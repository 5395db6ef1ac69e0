"""The HTTP API of Alertmanager: alerts, silences, status; `fake` gives a client without a server.

What goes wrong is one of three: `NotRunning` (nothing listens there), `Refused` (it answered, and
said no and why), `Unavailable` (no usable answer in time; half an answer is none).

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import httpx

from controlplane.clients.client import Client
from controlplane.errors import Invalid, NotFound, Unavailable

Parsed = TypeVar("Parsed")

API = "/api/v2"


class NotRunning(Unavailable):
    """Nothing listens at the address of Alertmanager, or it is still starting."""


class Refused(Invalid):
    """Alertmanager answered that it will not do it; the detail is its reason."""


@dataclass(frozen=True)
class Matcher:
    """A condition of a silence on one label: equal to a value, or matching a pattern, or not."""

    name: str
    value: str
    regex: bool = False
    equal: bool = True


@dataclass(frozen=True)
class Silence:
    """A silence to make or as it is; `id` is empty for a new one, `state` is Alertmanager's."""

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    id: str = ""
    state: Literal["active", "pending", "expired", ""] = ""


@dataclass(frozen=True)
class ActiveAlert:
    """An alert that Alertmanager holds and that is not over; times to the millisecond.

    `silenced_by` are ids of silences, `inhibited_by` fingerprints of alerts.
    """

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class PostedAlert:
    """An alert to tell: it ends at `ends_at` unless told again before; in the past, it is over."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str = ""


@dataclass(frozen=True)
class Status:
    """Since when Alertmanager runs, whether its cluster is complete, and its version."""

    started_at: datetime
    cluster: Literal["ready", "settling", "disabled"]
    version: str = ""
    peers: tuple[str, ...] = field(default=())


class Alertmanager(Client):
    """A client of one Alertmanager; close it, or use it in `async with`."""

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Return every alert that is not over, also what is silenced or inhibited."""
        every = ("active", "silenced", "inhibited", "unprocessed")
        response = await self._request("GET", "/alerts", params=dict.fromkeys(every, "true"))
        return _read(response, lambda body: tuple(_alert(item) for item in body))

    async def post_alerts(self, alerts: Sequence[PostedAlert]) -> None:
        """Tell alerts; the same labels are the same alert, told again."""
        await self._request("POST", "/alerts", json=[_posted(alert) for alert in alerts])

    async def silences(self) -> tuple[Silence, ...]:
        """Return all silences, also those that are over and not yet forgotten."""
        response = await self._request("GET", "/silences")
        return _read(response, lambda body: tuple(_silence(item) for item in body))

    async def silence(self, silence_id: str) -> Silence:
        """Return one silence, or raise NotFound."""
        return _read(await self._request("GET", _one(silence_id)), _silence)

    async def set_silence(self, silence: Silence) -> str:
        """Make a silence, or change that of the same id; return its id.

        Only the end of one that is active can change; for anything else Alertmanager ends the old
        one and makes a new one, of another id.
        """
        response = await self._request("POST", "/silences", json=_written(silence))
        return _read(response, lambda body: str(body["silenceID"]))

    async def expire_silence(self, silence_id: str) -> None:
        """End a silence now; NotFound where there is none. One that is over stays over."""
        await self._request("DELETE", _one(silence_id))

    async def status(self) -> Status:
        """Return how Alertmanager is."""
        return _read(await self._request("GET", "/status"), _status)

    async def ready(self) -> bool:
        """Say whether Alertmanager answers."""
        try:
            await self.status()
        except Unavailable:
            return False
        return True

    async def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, API + path, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotRunning(f"Alertmanager does not listen at {self._http.base_url}") from error
        except httpx.TransportError as error:
            raise Unavailable(f"Alertmanager did not answer {path}: {error!r}") from error
        if response.is_success:
            return response
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NotFound(f"Alertmanager knows nothing at {path}")
        if response.is_server_error and method == "GET":
            raise Unavailable(f"Alertmanager: {_reason(response)}")
        raise Refused(f"Alertmanager: {_reason(response)}")


Answer = tuple[int, Any]


def fake(answers: Mapping[tuple[str, str], Answer | httpx.TransportError]) -> Alertmanager:
    """Return a client whose Alertmanager gives these answers by method and path, else 404.

    A path is as below `/api/v2`; an answer is a status and a body, text or JSON.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(API)
        known = answers.get((request.method, path), (404, ""))
        if isinstance(known, httpx.TransportError):
            raise known
        status, body = known
        if isinstance(body, str):
            return httpx.Response(status, text=body)
        return httpx.Response(status, json=body)

    http = httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="http://alertmanager.invalid"
    )
    return Alertmanager(http)


def _read(response: httpx.Response, parse: Callable[[Any], Parsed]) -> Parsed:
    try:
        return parse(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(f"what answers at {response.url} is not Alertmanager") from error


def _one(silence_id: str) -> str:
    return "/silence/" + "".join(c for c in silence_id if c.isalnum() or c == "-")


def _reason(response: httpx.Response) -> str:
    """Return the words of an error: a JSON string, an object with a message, or plain text."""
    try:
        body = response.json()
    except ValueError:
        return response.text.strip() or f"HTTP {response.status_code}"
    return str(body.get("message", body)) if isinstance(body, dict) else str(body)


def _alert(item: Mapping[str, Any]) -> ActiveAlert:
    status = item["status"]
    return ActiveAlert(
        str(item["fingerprint"]),
        dict(item["labels"]),
        dict(item["annotations"]),
        _moment(item["startsAt"]),
        tuple(status["silencedBy"] or ()),
        tuple(status["inhibitedBy"] or ()),
    )


def _posted(alert: PostedAlert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": _text(alert.starts_at),
        "endsAt": _text(alert.ends_at),
        "generatorURL": alert.generator_url,
    }


def _silence(item: Mapping[str, Any]) -> Silence:
    return Silence(
        tuple(
            Matcher(m["name"], m["value"], m["isRegex"], m.get("isEqual", True))
            for m in item["matchers"]
        ),
        _moment(item["startsAt"]),
        _moment(item["endsAt"]),
        item["createdBy"],
        item["comment"],
        item["id"],
        item["status"]["state"],
    )


def _written(silence: Silence) -> dict[str, Any]:
    return {
        **({"id": silence.id} if silence.id else {}),
        "matchers": [
            {"name": m.name, "value": m.value, "isRegex": m.regex, "isEqual": m.equal}
            for m in silence.matchers
        ],
        "startsAt": _text(silence.starts_at),
        "endsAt": _text(silence.ends_at),
        "createdBy": silence.created_by,
        "comment": silence.comment,
    }


def _status(body: Mapping[str, Any]) -> Status:
    cluster = body["cluster"]
    return Status(
        _moment(body["uptime"]),
        cluster["status"],
        body["versionInfo"]["version"],
        tuple(peer["address"] for peer in cluster.get("peers") or ()),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment.astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
