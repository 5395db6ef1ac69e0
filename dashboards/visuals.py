"""The few kinds of picture that boards are made of, each with settings that read well at night."""

from typing import Any

from dashboards import colours
from dashboards.panel import Json, Panel, Query

DEVICE_BOARD = "/d/chm-device"
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def to_device(name: str) -> dict[str, Any]:
    """Link from a value to the board of the device that Grafana's macro `name` holds."""
    return {
        "title": "Open the device",
        "url": f"{DEVICE_BOARD}?var-device=${{{name}:percentencode}}&${{__url_time_range}}",
    }


def stat(
    title: str,
    description: str,
    unit: str,
    expr: str,
    *,
    thresholds: Json = colours.UNRATED,
    mappings: list[Any] | None = None,
    width: int = 4,
    empty: str = "",
) -> Panel:
    """One number, large, coloured by what it means."""
    return Panel(
        kind="stat",
        title=title,
        description=description,
        unit=unit,
        queries=(Query(expr, title, instant=True),),
        width=width,
        height=4,
        defaults={
            "color": {"mode": "thresholds"},
            "thresholds": thresholds,
            "mappings": mappings or [],
        },
        options={
            "colorMode": "background",
            "graphMode": "none",
            "justifyMode": "center",
            "orientation": "auto",
            "reduceOptions": _LAST,
            "textMode": "value",
        },
        empty=empty,
    )


def lines(
    title: str,
    description: str,
    unit: str,
    queries: tuple[Query, ...],
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    overrides: tuple[Json, ...] = (),
    width: int = 12,
    empty: str = "",
) -> Panel:
    """Values over time; gaps stay gaps, for no answer is news."""
    limits = {"min": minimum, "max": maximum}
    return Panel(
        kind="timeseries",
        title=title,
        description=description,
        unit=unit,
        queries=queries,
        width=width,
        defaults={
            "color": {"mode": "palette-classic"},
            "custom": {
                "drawStyle": "line",
                "fillOpacity": 8,
                "lineWidth": 1,
                "showPoints": "auto",
                "spanNulls": False,
            },
            **{name: limit for name, limit in limits.items() if limit is not None},
        },
        overrides=overrides,
        options={
            "legend": {
                "calcs": ["lastNotNull", "max"],
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
                "sortBy": "Max",
                "sortDesc": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        empty=empty,
    )


def timeline(
    title: str,
    description: str,
    query: Query,
    mappings: list[Any],
    *,
    width: int = 12,
    empty: str = "",
) -> Panel:
    """States over time, one bar for each thing."""
    return Panel(
        kind="state-timeline",
        title=title,
        description=description,
        unit="none",
        queries=(query,),
        width=width,
        defaults={
            "color": {"mode": "thresholds"},
            "custom": {"fillOpacity": 80, "lineWidth": 0},
            "mappings": mappings,
            "thresholds": colours.UNRATED,
        },
        options={
            "alignValue": "left",
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": False,
            },
            "mergeValues": True,
            "rowHeight": 0.8,
            "showValue": "auto",
            "tooltip": {"mode": "single", "sort": "none"},
        },
        empty=empty,
    )


def bars(
    title: str,
    description: str,
    unit: str,
    query: Query,
    *,
    thresholds: Json,
    maximum: float | None = None,
    width: int = 12,
    empty: str = "",
) -> Panel:
    """Rank what is worst just now; each bar leads to its device."""
    return Panel(
        kind="bargauge",
        title=title,
        description=description,
        unit=unit,
        queries=(query,),
        width=width,
        defaults={
            "color": {"mode": "thresholds"},
            "links": [to_device("__field.labels.device")],
            "min": 0,
            "thresholds": thresholds,
            **({} if maximum is None else {"max": maximum}),
        },
        options={
            "displayMode": "basic",
            "minVizHeight": 16,
            "minVizWidth": 8,
            "namePlacement": "left",
            "orientation": "horizontal",
            "reduceOptions": _LAST,
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        },
        empty=empty,
    )
