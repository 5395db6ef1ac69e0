"""Tables: several instant queries joined on the labels they share, a column for each."""

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from dashboards.panel import Json, Panel, Query
from dashboards.visuals import to_device


@dataclass(frozen=True)
class Column:
    """A column of a table: a label that `source` names, or the values of a query."""

    title: str
    source: str
    unit: str = ""
    cell: str = "auto"
    thresholds: Json | None = None
    mappings: tuple[Any, ...] = ()
    link: str = ""
    width: int = 0

    def properties(self) -> dict[str, Any]:
        """Field settings of the column, by the names that Grafana gives them."""
        candidates: dict[str, Any] = {
            "unit": self.unit,
            "thresholds": self.thresholds,
            "mappings": list(self.mappings),
            "links": [to_device(self.link)] if self.link else [],
            "custom.width": self.width,
            "custom.cellOptions": {"type": self.cell} if self.cell != "auto" else None,
        }
        if self.cell == "gauge":
            candidates |= {
                "custom.cellOptions": {"type": "gauge", "mode": "basic"},
                "min": 0.0,
                "max": 1.0,
            }
        return {name: value for name, value in candidates.items() if value or name == "min"}


def table(
    title: str,
    description: str,
    labels: tuple[Column, ...],
    measures: tuple[Column, ...],
    *,
    sort: str,
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
            "sortBy": [{"displayName": sort, "desc": False}],
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
    for letter, measure in zip(ascii_uppercase, measures, strict=False):
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
