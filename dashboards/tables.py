"""Tables: several instant queries joined on the labels they share, a column for each."""

from typing import Any

from dashboards.panel import Json, Panel, Query
from dashboards.visuals import Column


def table(
    title: str,
    description: str,
    labels: tuple[Column, ...],
    measures: tuple[Column, ...],
    *,
    sort: str,
    descending: bool = False,
    width: int = 24,
    height: int = 8,
    empty: str = "",
) -> Panel:
    """Rows of `labels` (their `source` is a label) with `measures` (their `source` is PromQL)."""
    columns = (*labels, *(measure for measure in measures if measure.title))
    return Panel(
        kind="table",
        title=title,
        description=description,
        unit="none",
        queries=tuple(Query(each.source, instant=True, table=True) for each in measures),
        width=width,
        height=height,
        defaults={"custom": {"align": "auto", "filterable": True}},
        overrides=tuple(_override(column) for column in columns if column.properties()),
        options={
            "cellHeight": "sm",
            "showHeader": True,
            "sortBy": [{"displayName": sort, "desc": descending}],
        },
        transformations=({"id": "merge", "options": {}}, _organize(labels, measures)),
        empty=empty,
    )


def _override(column: Column) -> Json:
    return {
        "matcher": {"id": "byName", "options": column.title},
        "properties": [{"id": name, "value": value} for name, value in column.properties().items()],
    }


def _organize(labels: tuple[Column, ...], measures: tuple[Column, ...]) -> Json:
    """Order and name the columns; a measure without a title only decides which rows there are."""
    names = {label.source: label.title for label in labels}
    hidden = {"Time": True}
    for letter, measure in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", measures, strict=False):
        # Grafana numbers the value columns only when more than one query answered.
        fields = ["Value", f"Value #{letter}"] if letter == "A" else [f"Value #{letter}"]
        for field in fields:
            if measure.title:
                names[field] = measure.title
            else:
                hidden[field] = True
    options: dict[str, Any] = {
        "excludeByName": hidden,
        "indexByName": {name: index for index, name in enumerate(names)},
        "renameByName": names,
    }
    return {"id": "organize", "options": options}
