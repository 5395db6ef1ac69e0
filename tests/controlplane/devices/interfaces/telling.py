"""Devices that tell of their interfaces, as Prometheus has it."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx

from controlplane.clients.prometheus import Answer, Prometheus, fake
from controlplane.devices.interfaces.learning import InterfaceLearner
from tests.controlplane.conftest import Sessions

NOW = 1_750_000_000
Series = list[dict[str, Any]]


def port(device: str, name: str, index: int = 1, **more: Any) -> Series:
    """Return the series of an interface of 1 Gb/s that is up."""
    told = {"alias": "", "admin": 1, "oper": 1, "mbits": 1000, "type": "", "mac": "", **more}
    labels = {
        "device": device,
        "ifIndex": str(index),
        "ifName": name,
        "ifDescr": told.get("descr", name),
        "ifAlias": told["alias"],
    }
    series = [
        _sample("ifAdminStatus", told["admin"], **labels),
        _sample("ifOperStatus", told["oper"], **labels),
        _sample("ifHighSpeed", told["mbits"], **labels),
        _sample("ifSpeed", told.get("bits", 0), **labels),
    ]
    if told["type"]:
        series.append(_sample("ifType_info", 1, ifType=told["type"], **labels))
    if told["mac"]:
        series.append(_sample("ifPhysAddress", 1, ifPhysAddress=told["mac"], **labels))
    return series


def answered(device: str, *, whole: bool = True) -> Series:
    """Return whether a device answered all that it was asked."""
    return [_sample("chm_collector_success", int(whole), device=device)]


def prometheus(*parts: Series) -> Prometheus:
    """Return a Prometheus that has this to tell, whatever it is asked."""
    result = [series for part in parts for series in part]
    return fake({"/api/v1/query": Answer({"resultType": "vector", "result": result})})


def answering(told: Mapping[str, Series]) -> Prometheus:
    """Return a Prometheus that tells of these devices, and refuses queries about any other."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = parse_qs(request.content.decode())["query"][0]
        for device, series in told.items():
            if device in asked:
                data = {"resultType": "vector", "result": series}
                return httpx.Response(200, json={"status": "success", "data": data})
        return httpx.Response(422, json={"status": "error", "error": "too many samples"})

    transport = httpx.MockTransport(answer)
    return Prometheus(httpx.AsyncClient(transport=transport, base_url="http://prometheus.invalid"))


async def learn(sessions: Sessions, *parts: Series, whole: Iterable[str] = ("sw1",)) -> None:
    """Let the worker learn what is told; `whole` are the devices that answered all."""
    told = [*parts, *(answered(device) for device in whole)]
    await InterfaceLearner(sessions, prometheus(*told)).learn()


def _sample(name: str, value: object, **labels: str) -> dict[str, Any]:
    told = {key: text for key, text in labels.items() if text}
    return {"metric": {"__name__": name, **told}, "value": [NOW, str(value)]}
