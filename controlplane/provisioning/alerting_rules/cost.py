"""What an evaluation costs: how many samples Prometheus would have to read for it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

from controlplane.clients.prometheus import Prometheus
from controlplane.provisioning.alerting_rules import expression


@dataclass(frozen=True)
class Reading:
    """A selector, and how many samples of each of its series one evaluation reads."""

    selector: str
    samples: float


@dataclass(frozen=True)
class Cost:
    """How many series an evaluation asks for, and how many samples of them it reads."""

    series: int
    samples: int


def readings(tree: Any, scrape_interval: float, times: float = 1) -> Iterator[Reading]:
    """Give what each selector of a tree reads, if samples come every `scrape_interval` seconds.

    A range has all samples in it, a subquery reads what is in it at every step.
    """
    if isinstance(tree, promql.VectorSelector):
        yield Reading(expression.bare(tree), times)
    elif isinstance(tree, promql.MatrixSelector):
        inside = max(tree.range.total_seconds() / scrape_interval, 1)
        yield Reading(expression.bare(tree.vector_selector), times * inside)
    elif isinstance(tree, promql.SubqueryExpr):
        yield from readings(tree.expr, scrape_interval, times * expression.steps(tree))
    else:
        for child in expression.children(tree):
            yield from readings(child, scrape_interval, times)


async def estimate(prometheus: Prometheus, tree: Any, scrape_interval: float) -> Cost:
    """Count the series that are there now; Unavailable or Refused where Prometheus does not say."""
    found = list(readings(tree, scrape_interval))
    chosen = sorted({reading.selector for reading in found})
    counted = await asyncio.gather(*(_count(prometheus, selector) for selector in chosen))
    series = dict(zip(chosen, counted, strict=True))
    samples = sum(series[reading.selector] * reading.samples for reading in found)
    return Cost(sum(series.values()), round(samples))


async def _count(prometheus: Prometheus, selector: str) -> int:
    found = await prometheus.query(f"count({selector})")
    return int(found[0].value) if found else 0


def words(cost: Cost, interval: float) -> str:
    """Say a cost to people."""
    return (
        f"reads about {cost.samples:,} samples of {cost.series:,} series every {interval:g} seconds"
    )
