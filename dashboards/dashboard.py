"""Boards to Grafana's JSON, through grafanalib; the only module that knows grafanalib.

grafanalib 0.7.1 writes dashboards of schema 12 and has no class for half of today's panels.
Its generic `Panel` takes any type, so every panel goes through that one; keys of old schemas
(rows, span, intervalFactor, step, ...) are left out, and what it leaves unset is set here: the
schema of Grafana 11.6, the data source on panels and targets, and ids that never change.
"""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from string import ascii_uppercase
from typing import Any

from grafanalib import core

from dashboards import layout
from dashboards.panel import Board, Json, Link, Panel, Query, Section, Variable, scoped

SCHEMA_VERSION = 41  # Grafana 11.6; later versions migrate it, earlier ones of 11 read it
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
TAG = "chm"

_PANEL_KEYS = {
    "datasource",
    "description",
    "fieldConfig",
    "gridPos",
    "id",
    "options",
    "targets",
    "title",
    "transformations",
    "type",
}
_ROW_KEYS = {"collapsed", "gridPos", "id", "panels", "title", "type"}
_TARGET_KEYS = {"datasource", "expr", "format", "instant", "legendFormat", "refId"}
_LEGACY_VARIABLE_KEYS = {
    "auto",
    "auto_count",
    "auto_min",
    "tagValuesQuery",
    "tagsQuery",
    "useTags",
}
_LEGACY_BOARD_KEYS = {
    "__inputs",
    "gnetId",
    "hideControls",
    "rows",
    "sharedCrosshair",
    "style",
}


def to_json(board: Board) -> str:
    """Render the board as the text of a file that Grafana provisions."""
    dashboard = core.Dashboard(
        title=board.title,
        uid=board.uid,
        description=board.description,
        annotations=core.Annotations(list=[_alerts_on_time_axis(board)]),
        editable=False,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        links=[_link(link) for link in board.links],
        panels=[
            _placed(number, item, place, board.scope)
            for number, (item, place) in enumerate(layout.place(board.sections), start=1)
        ],
        refresh="1m",
        schemaVersion=SCHEMA_VERSION,
        tags=[TAG],
        templating=core.Templating(list=_variables(board)),
        time=core.Time("now-3h", "now"),
        timezone="browser",
    )
    data = _without(dashboard.to_json_data(), _LEGACY_BOARD_KEYS)
    data["timepicker"] = {"refresh_intervals": ["15s", "30s", "1m", "5m", "15m"]}
    return json.dumps(data, default=_grafanalib_value, indent=2, sort_keys=True) + "\n"


def _grafanalib_value(value: Any) -> Any:
    return value.to_json_data()


def _keep(data: Mapping[str, Any], keys: AbstractSet[str]) -> dict[str, Any]:
    """Keep what means something: the named keys, where they are not null."""
    return {key: value for key, value in data.items() if key in keys and value is not None}


def _without(data: Mapping[str, Any], keys: AbstractSet[str]) -> dict[str, Any]:
    """Leave out the named keys, and what is null."""
    return _keep(data, data.keys() - keys)


def _link(link: Link) -> Json:
    button = core.DashboardLink(
        title=link.title, uri=link.url, type="link", icon="dashboard", keepTime=True
    )
    data: Json = button.to_json_data()
    return data


def _placed(number: int, item: Section | Panel, place: layout.Place, scope: str) -> Json:
    if isinstance(item, Section):
        return _row(number, item, place)
    return _panel(number, item, place, scope)


def _row(number: int, section: Section, place: layout.Place) -> Json:
    grid = core.GridPos(h=place.height, w=place.width, x=place.x, y=place.y)
    row = core.RowPanel(title=section.title, id=number, gridPos=grid)
    return _keep(row.to_json_data(), _ROW_KEYS)


def _panel(number: int, panel: Panel, place: layout.Place, scope: str) -> Json:
    """Render a panel of any type: grafanalib's frame around our own options and field settings."""
    frame = core.Panel(
        dataSource=DATASOURCE,
        description=panel.description,
        gridPos=core.GridPos(h=place.height, w=place.width, x=place.x, y=place.y),
        id=number,
        targets=[
            _target(letter, query, scope)
            for letter, query in zip(ascii_uppercase, panel.queries, strict=False)
        ],
        title=panel.title,
        transformations=list(panel.transformations),
    )
    data = _keep(frame.panel_json({"type": panel.kind, "options": panel.options}), _PANEL_KEYS)
    defaults = {**panel.defaults, "unit": panel.unit}
    if panel.empty:
        defaults["noValue"] = panel.empty
    data["fieldConfig"] = {"defaults": defaults, "overrides": list(panel.overrides)}
    return data


def _target(letter: str, query: Query, scope: str) -> Json:
    target = core.Target(
        expr=scoped(query.expr, scope),
        format="table" if query.table else "time_series",
        instant=query.instant,
        legendFormat=query.legend or "__auto",
        refId=letter,
        datasource=DATASOURCE,
    )
    return {**_keep(target.to_json_data(), _TARGET_KEYS), "range": not query.instant}


def _variables(board: Board) -> list[Json]:
    source = core.Template(
        name="datasource", label="Data source", type="datasource", query="prometheus", refresh=1
    )
    data = _without(source.to_json_data(), _LEGACY_VARIABLE_KEYS)
    return [{**data, "current": {}}, *(_variable(variable) for variable in board.variables)]


def _variable(variable: Variable) -> Json:
    query = f"label_values({variable.series}, {variable.label})"
    template = core.Template(
        name=variable.name,
        label=variable.title,
        query={"query": query, "refId": "StandardVariableQuery"},
        dataSource=DATASOURCE,
        includeAll=variable.many,
        multi=variable.many,
        # Without this, "All" is a list of the values there are, and drops series without the label.
        allValue=".*" if variable.many else None,
        refresh=2,  # when the time range changes: a device added a minute ago must be there
    )
    data = _without(template.to_json_data(), _LEGACY_VARIABLE_KEYS)
    everything = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return {**data, "definition": query, "current": everything if variable.many else {}}


def _alerts_on_time_axis(board: Board) -> Json:
    """Mark firing alerts on every graph of the board."""
    expr = 'ALERTS{alertstate="firing", severity=~"critical|warning", $where}'
    return {
        "datasource": DATASOURCE,
        "enable": True,
        "expr": scoped(expr, board.scope),
        "iconColor": "red",
        "name": "Alerts",
        "step": "60s",
        "tagKeys": "severity,device",
        "textFormat": "{{alertname}} {{device}}",
        "titleFormat": "{{alertname}}",
        "useValueForTime": False,
    }
