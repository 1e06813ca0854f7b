"""DynamoDB's ConsumedReadCapacityUnits and ConsumedWriteCapacityUnits, from what the store's meter has counted.

AWS: DynamoDB developer guide, metrics and dimensions: a minute's units are the statistic Sum, its requests SampleCount;
a global index has its own dimensions. The lab knows the mean of a minute's requests, not its Minimum and Maximum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from groundschool.cloud.monitoring.metric_store import MetricData, MetricKey

DYNAMODB = "AWS/DynamoDB"


class ConsumedCapacity:
    """Turns totals that only grow into what was added since the last look."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str | None, str], tuple[float, int]] = {}

    def metrics(self, counted: Iterable[Mapping[str, Any]], at: float) -> list[MetricData]:
        """For the lab minute ``at``; ``counted`` in the meter's shape. A store that began anew counts from zero."""
        data = []
        for one in counted:
            key = (one["TableArn"], one["IndexName"], one["Kind"])
            units, requests = one["Units"], one["Requests"]
            units_before, requests_before = self._last.get(key, (0.0, 0))
            if requests < requests_before:
                units_before, requests_before = 0.0, 0
            self._last[key] = (units, requests)
            if added := requests - requests_before:
                data.append(_metric(*key, at, (units - units_before) / added, added))
        return data


def _metric(table_arn: str, index: str | None, kind: str, at: float, mean: float, requests: int) -> MetricData:
    dimensions = {("TableName", table_arn.rpartition("/")[2])}
    if index is not None:
        dimensions.add(("GlobalSecondaryIndexName", index))
    name = f"Consumed{kind}CapacityUnits"
    return MetricData(MetricKey(DYNAMODB, name, frozenset(dimensions)), at, (mean,), (float(requests),), "Count")
