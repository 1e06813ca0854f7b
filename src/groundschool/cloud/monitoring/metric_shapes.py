"""Metrics between boto3's shapes and the lab's values.

Timestamps are real times and become lab seconds; periods are lab seconds already.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Params
from groundschool.cloud.monitoring.metric_math import MathError, names_in
from groundschool.cloud.monitoring.metric_query import MetricQuery, MetricStatistic
from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey, StatisticSet, is_statistic

MOST_DIMENSIONS = 30
MOST_VALUES = 150


def invalid_value(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def invalid_combination(message: str) -> AwsError:
    return AwsError("InvalidParameterCombination", message)


def required(params: Mapping[str, Any], *names: str) -> None:
    """Raises MissingParameter for the first of ``names`` that is not given."""
    for name in names:
        if params.get(name) in (None, ""):
            raise AwsError("MissingParameter", f"The parameter {name} is required.")


def lab_seconds(moment: datetime, clock: Clock) -> float:
    return clock.lab_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def metric_key(namespace: str, name: str, dimensions: Iterable[Mapping[str, str]] | None) -> MetricKey:
    pairs = [(dimension["Name"], dimension["Value"]) for dimension in dimensions or ()]
    if len(pairs) > MOST_DIMENSIONS:
        raise invalid_value(f"The collection Dimensions must not have a size greater than {MOST_DIMENSIONS}.")
    if len({name for name, _ in pairs}) < len(pairs):
        raise invalid_value("No Metric may specify the same dimension more than once.")
    return MetricKey(namespace, name, frozenset(pairs))


def dimensions_of(key: MetricKey) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in key.sorted_dimensions()]


def whole_period(params: Mapping[str, Any]) -> int:
    """``Period``, checked: the lab keeps data by the minute."""
    period = int(params["Period"])
    if period < 60 or period % 60:
        raise invalid_value(f"The parameter Period must be a multiple of 60 in the lab, not {period}.")
    return period


def known_statistic(name: str) -> str:
    if not is_statistic(name):
        raise invalid_value(
            f"The value {name} for the statistic is not supported by the lab, which has SampleCount, Average, Sum, "
            "Minimum, Maximum and percentiles such as p99 or p99.9."
        )
    return name


def metric_datum(namespace: str, datum: Params, now: float, clock: Clock) -> MetricData | StatisticSet:
    """One member of ``PutMetricData``'s MetricData. Without Timestamp it is of ``now``."""
    required(datum, "MetricName")
    key = metric_key(namespace, datum["MetricName"], datum.get("Dimensions"))
    at = now if datum.get("Timestamp") is None else lab_seconds(datum["Timestamp"], clock)
    unit = datum.get("Unit") or "None"
    kinds = [kind for kind in ("Value", "Values", "StatisticValues") if datum.get(kind) is not None]
    if len(kinds) != 1:
        raise invalid_combination(
            "Exactly one of the parameters Value, Values and StatisticValues must be specified for each metric."
        )
    if kinds == ["StatisticValues"]:
        return _statistic_set(key, at, datum["StatisticValues"], unit)
    values = tuple(float(value) for value in (datum["Values"] if kinds == ["Values"] else [datum["Value"]]))
    counts = tuple(float(count) for count in datum["Counts"]) if datum.get("Counts") else None
    if len(values) > MOST_VALUES or not values:
        raise invalid_value(f"The collection Values must have a size between 1 and {MOST_VALUES}.")
    if counts is not None and (kinds != ["Values"] or len(counts) != len(values)):
        raise invalid_combination("The parameters Values and Counts must have the same number of members.")
    if not all(math.isfinite(number) for number in values + (counts or ())):
        raise invalid_value("Values and Counts must be finite numbers.")
    return MetricData(key, at, values, counts, unit)


def _statistic_set(key: MetricKey, at: float, given: Params, unit: str) -> StatisticSet:
    required(given, "SampleCount", "Sum", "Minimum", "Maximum")
    numbers = [float(given[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum")]
    count, total, minimum, maximum = numbers
    if not all(math.isfinite(number) for number in numbers) or count <= 0 or minimum > maximum:
        raise invalid_value("The value of StatisticValues is invalid.")
    return StatisticSet(key, at, count, total, minimum, maximum, unit)


def metric_queries(given: list[Params]) -> tuple[MetricQuery, ...]:
    """``MetricDataQueries`` or an alarm's ``Metrics``."""
    queries = tuple(_metric_query(query) for query in given)
    if len({query.query_id for query in queries}) < len(queries):
        raise invalid_value("The values for parameter Id in MetricDataQueries are not unique.")
    return queries


def _metric_query(given: Params) -> MetricQuery:
    required(given, "Id")
    stat, expression = given.get("MetricStat"), given.get("Expression")
    if (stat is None) == (expression is None):
        raise invalid_combination(f"Query {given['Id']} must have either MetricStat or Expression, and not both.")
    if expression is not None:
        try:
            names_in(expression)
        except MathError as error:
            raise invalid_value(f"Error in expression {given['Id']!r}: {error}") from None
    return MetricQuery(
        given["Id"],
        metric=None if stat is None else metric_statistic(stat),
        expression=expression,
        label=given.get("Label"),
        return_data=given.get("ReturnData", True) is not False,
        period=whole_period(given) if given.get("Period") else None,
    )


def metric_statistic(stat: Params) -> MetricStatistic:
    required(stat, "Period", "Stat")
    metric = stat["Metric"]
    required(metric, "Namespace", "MetricName")
    key = metric_key(metric["Namespace"], metric["MetricName"], metric.get("Dimensions"))
    return MetricStatistic(key, known_statistic(stat["Stat"]), whole_period(stat), stat.get("Unit"))


def query_shape(query: MetricQuery) -> Params:
    """A query as it was given."""
    shape: Params = {"Id": query.query_id, "ReturnData": query.return_data}
    if query.label:
        shape["Label"] = query.label
    if query.expression is not None:
        shape["Expression"] = query.expression
    if query.period is not None:
        shape["Period"] = query.period
    if query.metric is not None:
        metric = query.metric
        shape["MetricStat"] = {"Metric": metric_shape(metric.key), "Period": metric.period, "Stat": metric.statistic}
        if metric.unit:
            shape["MetricStat"]["Unit"] = metric.unit
    return shape


def metric_shape(key: MetricKey) -> Params:
    return {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions_of(key)}
