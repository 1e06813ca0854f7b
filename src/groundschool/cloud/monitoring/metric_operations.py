"""CloudWatch's operations on metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.monitoring.metric_math import MathError
from groundschool.cloud.monitoring.metric_query import MOST_PERIODS, Answer, answer
from groundschool.cloud.monitoring.metric_shapes import (
    invalid_combination,
    invalid_value,
    known_statistic,
    lab_seconds,
    metric_datum,
    metric_key,
    metric_queries,
    metric_shape,
    required,
    whole_period,
)
from groundschool.cloud.monitoring.metric_store import SIMPLE_STATISTICS, Aggregate, MetricKey, MetricStore
from groundschool.cloud.monitoring.pagination import offset_of, page, token_of

MOST_DATA = 1000
"""D: metrics in one PutMetricData."""
MOST_STATISTICS = 1440
"""D: datapoints in one GetMetricStatistics."""
METRICS_PER_PAGE = 500
"""D: metrics in one page of ListMetrics."""
RECENTLY_ACTIVE = 3 * 3600.0
"""D: what ``RecentlyActive=PT3H`` means, here in lab seconds."""
FURTHEST_AHEAD = timedelta(hours=2)
"""D: the latest timestamp that can be put."""


class MetricOperations:
    """Handlers named after botocore's operations. Not locked: the lab calls them under its one lock."""

    def __init__(self, clock: Clock, store: MetricStore) -> None:
        self._clock = clock
        self._store = store

    def put_metric_data(self, _call: Call, params: Params) -> Result:
        """All data of a call are put, or none. Namespaces that begin with ``AWS/`` belong to AWS."""
        required(params, "Namespace")
        namespace = params["Namespace"]
        if namespace.startswith("AWS/"):
            raise invalid_value(f"The value {namespace} for parameter Namespace is invalid.")
        if params.get("EntityMetricData"):
            raise invalid_value("The parameter EntityMetricData is not supported by the lab.")
        given = params.get("MetricData") or []
        if not 0 < len(given) <= MOST_DATA:
            raise invalid_value(f"The collection MetricData must have a size between 1 and {MOST_DATA}.")
        now = self._clock.now()
        data = [metric_datum(namespace, datum, now, self._clock) for datum in given]
        latest = lab_seconds(self._clock.wall_time(now) + FURTHEST_AHEAD, self._clock)
        if any(datum.at > latest for datum in data):
            raise invalid_value("The parameter Timestamp must not be more than two hours in the future.")
        self._store.put(data)
        return {}

    def get_metric_statistics(self, _call: Call, params: Params) -> Result:
        required(params, "Namespace", "MetricName", "StartTime", "EndTime", "Period")
        simple, extended = params.get("Statistics") or [], params.get("ExtendedStatistics") or []
        if not simple and not extended:
            raise AwsError("MissingParameter", "At least one of Statistics and ExtendedStatistics must be specified.")
        for name in [*simple, *extended]:
            known_statistic(name)
        period = whole_period(params)
        start, end = self._span(params, period)
        if (end - start) / period > MOST_STATISTICS:
            raise invalid_combination(
                f"You have requested up to {(end - start) / period:,.0f} datapoints, which exceeds the limit of "
                f"{MOST_STATISTICS:,}. You may reduce the datapoints requested by increasing Period, or decreasing the "
                "time range."
            )
        key = metric_key(params["Namespace"], params["MetricName"], params.get("Dimensions"))
        aggregates = self._store.aggregates(key, period, start, end, params.get("Unit"))
        points = [self._datapoint(at, found, simple, extended) for at, found in aggregates.items()]
        return {"Label": params["MetricName"], "Datapoints": points}

    def get_metric_data(self, _call: Call, params: Params) -> Result:
        """Newest first unless ``ScanBy`` says otherwise. Pages hold ``MaxDatapoints`` over all returned queries."""
        required(params, "MetricDataQueries", "StartTime", "EndTime")
        queries = metric_queries(params["MetricDataQueries"])
        start, end = self._span(params, 60)
        try:
            answers = answer(queries, self._store, start, end)
        except MathError as error:
            raise invalid_value(str(error)) from None
        returned = {query.query_id for query in queries if query.return_data}
        shown = [found for found in answers if found.query_id in returned]
        oldest_first = params.get("ScanBy") == "TimestampAscending"
        offset = offset_of(params.get("NextToken"))
        size = max(1, int(params.get("MaxDatapoints") or MOST_PERIODS) // max(1, len(shown)))
        results = [self._data_result(found, oldest_first, offset, size) for found in shown]
        result: Result = {"MetricDataResults": results, "Messages": []}
        if any(found["StatusCode"] == "PartialData" for found in results):
            result["NextToken"] = token_of(offset + size)
        return result

    def list_metrics(self, _call: Call, params: Params) -> Result:
        active = params.get("RecentlyActive")
        if active not in (None, "PT3H"):
            raise invalid_value(f"The value {active} for parameter RecentlyActive is invalid. Valid value: PT3H.")
        found = [key for key in self._store.all() if _matches(key, params)]
        if active:
            since = self._clock.now() - RECENTLY_ACTIVE
            found = [key for key in found if (self._store.newest(key) or 0.0) >= since]
        shown, token = page(found, params.get("NextToken"), METRICS_PER_PAGE)
        return {"Metrics": [metric_shape(key) for key in shown], **({"NextToken": token} if token else {})}

    def _span(self, params: Params, period: int) -> tuple[float, float]:
        """StartTime, rounded down to a period, and EndTime in lab seconds."""
        start, end = (lab_seconds(params[name], self._clock) for name in ("StartTime", "EndTime"))
        if start >= end:
            raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
        return start // period * period, end

    def _datapoint(self, at: float, found: Aggregate, simple: list[str], extended: list[str]) -> dict[str, Any]:
        point: dict[str, Any] = {"Timestamp": self._clock.wall_time(at), "Unit": found.unit}
        point |= {name: found.statistic(name) for name in SIMPLE_STATISTICS if name in simple}
        percentiles = {name: found.statistic(name) for name in extended}
        known = {name: value for name, value in percentiles.items() if value is not None}
        return {**point, "ExtendedStatistics": known} if known else point

    def _data_result(self, found: Answer, oldest_first: bool, offset: int, size: int) -> dict[str, Any]:
        points = sorted(found.series.items(), reverse=not oldest_first)
        shown = points[offset : offset + size]
        return {
            "Id": found.query_id,
            "Label": found.label,
            "Timestamps": [self._clock.wall_time(at) for at, _ in shown],
            "Values": [value for _, value in shown],
            "StatusCode": "PartialData" if offset + size < len(points) else "Complete",
        }


def _matches(key: MetricKey, params: Params) -> bool:
    """ListMetrics' filters: a dimension with or without a value."""
    if params.get("Namespace") not in (None, key.namespace) or params.get("MetricName") not in (None, key.name):
        return False
    have = dict(key.dimensions)
    return all(
        wanted["Name"] in have and wanted.get("Value") in (None, have[wanted["Name"]])
        for wanted in params.get("Dimensions") or ()
    )
