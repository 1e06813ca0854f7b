"""Operations on the group metrics."""

from __future__ import annotations

from groundschool.cloud.autoscaling.group_metrics import METRICS
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, required
from groundschool.cloud.call import Call, Params, Result


class MetricsCollectionOperations(Asking):
    def enable_metrics_collection(self, call: Call, params: Params) -> Result:
        """Without names: all of them."""
        if required(params, "Granularity") != "1Minute":
            raise invalid(f"Invalid granularity: {params['Granularity']}. The only valid value is 1Minute.")
        self.group_named(params).enabled_metrics |= _metrics(params)
        return {}

    def disable_metrics_collection(self, call: Call, params: Params) -> Result:
        self.group_named(params).enabled_metrics -= _metrics(params)
        return {}

    def describe_metric_collection_types(self, call: Call, params: Params) -> Result:
        return {"Metrics": [{"Metric": name} for name in METRICS], "Granularities": [{"Granularity": "1Minute"}]}


def _metrics(params: Params) -> set[str]:
    names = params.get("Metrics") or list(METRICS)
    for name in names:
        if name not in METRICS:
            raise invalid(f"Invalid metric name: {name}. See DescribeMetricCollectionTypes.")
    return set(names)
