"""The HTTP side of the lab: see the devices, start and end scenarios, take the inventory."""

import html
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab import inventory, scenarios
from lab.errors import BadArgument, LabError, UnknownDevice, UnknownScenario
from lab.network import UnderWay
from lab.server import Lab

SHOWN = 100  # devices on the overview page


def create_app(lab: Lab) -> Starlette:
    """Return the application around a lab; whoever serves it has the lab open."""
    app = Starlette(
        routes=[
            Route("/", overview),
            Route("/devices", devices),
            Route("/devices/{device}/scenarios/{scenario}", start, methods=["POST"]),
            Route("/devices/{device}/scenarios/{scenario}", stop, methods=["DELETE"]),
            Route("/inventory", inventory_document),
            Route("/-/healthy", healthy),
        ],
        exception_handlers={LabError: refuse},
    )
    app.state.lab = lab
    return app


async def refuse(_request: Request, error: Exception) -> Response:
    """Say what was wrong: 404 for an unknown name, 422 for a bad argument."""
    unknown = isinstance(error, UnknownDevice | UnknownScenario)
    return JSONResponse({"detail": str(error)}, status_code=404 if unknown else 422)


async def healthy(_request: Request) -> Response:
    """Say that the lab is up."""
    return PlainTextResponse("Healthy\n")


async def devices(request: Request) -> Response:
    """List the devices with the scenarios under way on them."""
    return JSONResponse(_devices(request.app.state.lab))


async def start(request: Request) -> Response:
    """Start a scenario with the arguments of a JSON object."""
    body = await request.body()
    try:
        arguments = json.loads(body) if body else {}
    except ValueError as error:
        raise BadArgument(f"the body is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise BadArgument("the body must be a JSON object of arguments")
    lab: Lab = request.app.state.lab
    entry = lab.start(request.path_params["device"], request.path_params["scenario"], arguments)
    return JSONResponse(_under_way(entry), status_code=201)


async def stop(request: Request) -> Response:
    """End a scenario."""
    lab: Lab = request.app.state.lab
    lab.stop(request.path_params["device"], request.path_params["scenario"])
    return Response(status_code=204)


async def inventory_document(request: Request) -> Response:
    """Return what the control plane imports."""
    lab: Lab = request.app.state.lab
    network = lab.network
    return JSONResponse(
        inventory.document(network.topology, lab.bulk, port=lab.port, community=lab.community)
    )


async def overview(request: Request) -> Response:
    """Show the devices and how to start a scenario."""
    lab: Lab = request.app.state.lab
    listed = _devices(lab)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in _cells(device)) + "</tr>"
        for device in listed[:SHOWN]
    )
    names = "".join(
        f"<li><code>{name}</code>: {html.escape(kind.__doc__ or '')}</li>"
        for name, kind in scenarios.catalogue().items()
    )
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Lab</title>"
        "<style>body{font:1rem sans-serif;margin:2rem}"
        "td,th{padding:.2rem 1rem;text-align:left}</style>"
        f"<h1>Lab</h1><p>{len(listed)} simulated devices, SNMP on UDP port {lab.port}.</p>"
        "<table><tr><th>Device<th>Address<th>Platform<th>Role<th>Answers<th>Scenarios</tr>"
        f"{rows}</table><h2>Scenarios</h2><ul>{names}</ul>"
        "<pre>python -m lab scenario link-down core1 port=Ethernet3 duration=60\n"
        'curl -X POST -d \'{"port": "Ethernet3"}\' .../devices/core1/scenarios/link-down\n'
        "curl -X DELETE .../devices/core1/scenarios/link-down</pre></html>"
    )


def _cells(device: dict[str, Any]) -> tuple[str, ...]:
    under_way = ", ".join(entry["scenario"] for entry in device["scenarios"])
    answers = "yes" if device["answers"] else "no"
    return device["name"], device["address"], device["platform"], device["role"], answers, under_way


def _devices(lab: Lab) -> list[dict[str, Any]]:
    network = lab.network
    return [
        {
            "name": spec.name,
            "address": spec.address,
            "port": lab.port,
            "platform": spec.platform.name,
            "role": spec.role,
            "answers": network.answers(spec.name),
            "scenarios": [_under_way(entry) for entry in network.under_way(spec.name)],
        }
        for spec in (*network.topology.devices, *lab.bulk)
    ]


def _under_way(entry: UnderWay) -> dict[str, Any]:
    return {
        "device": entry.device,
        "scenario": entry.scenario.name,
        "arguments": entry.scenario.model_dump(exclude_none=True),
        "since": entry.since,
        "until": entry.until,
    }
