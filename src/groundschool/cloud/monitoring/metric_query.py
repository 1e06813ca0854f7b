"""What GetMetricData and alarms on expressions ask for: metrics and expressions over them, by id."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from groundschool.cloud.monitoring.metric_math import MathError, Series, Value, compute, names_in
from groundschool.cloud.monitoring.metric_store import MetricKey, MetricStore

MOST_PERIODS = 100_800
"""D: the most datapoints one GetMetricData answers; periods beyond it are not looked at."""


@dataclass(frozen=True)
class MetricStatistic:
    """One statistic of one metric. ``period`` in lab seconds, a multiple of 60."""

    key: MetricKey
    statistic: str
    period: int
    unit: str | None = None


@dataclass(frozen=True)
class MetricQuery:
    """AWS: ``MetricDataQuery``: exactly one of ``metric`` and ``expression``."""

    query_id: str
    metric: MetricStatistic | None = None
    expression: str | None = None
    label: str | None = None
    return_data: bool = True
    period: int | None = None


@dataclass(frozen=True)
class Answer:
    """The series of one query, oldest first."""

    query_id: str
    label: str
    series: Series


def answer(queries: Sequence[MetricQuery], store: MetricStore, start: float, end: float) -> list[Answer]:
    """Every query's series for the periods that start in [start, end); raises :class:`MathError`.

    Expressions may refer to each other in any order, but not in a circle. An expression whose result is one number has
    it at every period.
    """
    known: dict[str, Value] = {}
    metrics: list[Series] = []
    for query in queries:
        if query.metric is not None:
            series = _series_of(query.metric, store, start, end)
            known[query.query_id] = series
            metrics.append(series)
    periods = _periods(common_period(queries), start, end)
    for query in _in_order(queries):
        assert query.expression is not None
        result = compute(query.expression, known, metrics, periods)
        known[query.query_id] = result if isinstance(result, dict) else dict.fromkeys(periods, result)
    return [Answer(query.query_id, _label(query), _as_series(known[query.query_id])) for query in queries]


def common_period(queries: Sequence[MetricQuery]) -> int:
    """The period of an expression's result: the longest of its metrics, or what the expression says."""
    given = [query.metric.period for query in queries if query.metric is not None]
    given += [query.period for query in queries if query.expression is not None and query.period]
    return max(given, default=60)


def _series_of(metric: MetricStatistic, store: MetricStore, start: float, end: float) -> Series:
    points = store.query(metric.key, metric.statistic, metric.period, start, end, metric.unit)
    return {point.at: point.value for point in points}


def _periods(period: int, start: float, end: float) -> list[float]:
    first, last = math.ceil(start / period), math.ceil(end / period)
    return [float(number * period) for number in range(first, min(last, first + MOST_PERIODS))]


def _in_order(queries: Sequence[MetricQuery]) -> list[MetricQuery]:
    """The expressions, each after those it refers to."""
    done = {query.query_id for query in queries if query.metric is not None}
    waiting = [(query, names_in(query.expression)) for query in queries if query.expression is not None]
    ordered: list[MetricQuery] = []
    while waiting:
        ready = [(query, names) for query, names in waiting if names <= done]
        if not ready:
            query, names = waiting[0]
            missing = ", ".join(sorted(names - done))
            raise MathError(f"The expression {query.query_id} refers to {missing}, which no other query computes first")
        waiting = [pair for pair in waiting if pair not in ready]
        ordered += [query for query, _ in ready]
        done |= {query.query_id for query, _ in ready}
    return ordered


def _label(query: MetricQuery) -> str:
    if query.label:
        return query.label
    return query.metric.key.name if query.metric is not None else query.query_id


def _as_series(value: Value) -> Series:
    assert isinstance(value, dict)
    return value
