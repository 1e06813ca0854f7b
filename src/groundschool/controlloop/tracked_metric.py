"""Which metric a target-tracking policy follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PredefinedMetric(StrEnum):
    """AWS: ``PredefinedMetricType``."""

    CPU = "ASGAverageCPUUtilization"
    NETWORK_IN = "ASGAverageNetworkIn"
    NETWORK_OUT = "ASGAverageNetworkOut"
    ALB_REQUEST_COUNT_PER_TARGET = "ALBRequestCountPerTarget"


@dataclass(frozen=True)
class TrackedMetric:
    """A CloudWatch metric and how to aggregate it. ``dimensions`` are (name, value), in the order given."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    statistic: str = "Average"
    unit: str | None = None


_EC2_NAME = {
    PredefinedMetric.CPU: "CPUUtilization",
    PredefinedMetric.NETWORK_IN: "NetworkIn",
    PredefinedMetric.NETWORK_OUT: "NetworkOut",
}


def predefined(metric: PredefinedMetric, group_name: str, resource_label: str | None = None) -> TrackedMetric:
    """What a predefined metric stands for.

    ``resource_label`` is needed for ``ALBRequestCountPerTarget`` and names load balancer and target group:
    ``app/<name>/<id>/targetgroup/<name>/<id>``. Raises ValueError when it is missing, malformed or out of place.
    That metric is a Sum per minute, already divided by the number of targets.
    """
    if metric is not PredefinedMetric.ALB_REQUEST_COUNT_PER_TARGET:
        if resource_label is not None:
            raise ValueError(f"ResourceLabel is not used with {metric}")
        return TrackedMetric("AWS/EC2", _EC2_NAME[metric], (("AutoScalingGroupName", group_name),))
    parts = (resource_label or "").split("/")
    if len(parts) != 6 or parts[0] != "app" or parts[3] != "targetgroup":
        raise ValueError(f"ResourceLabel must be app/<name>/<id>/targetgroup/<name>/<id>, not {resource_label!r}")
    dimensions = (("LoadBalancer", "/".join(parts[:3])), ("TargetGroup", "/".join(parts[3:])))
    return TrackedMetric("AWS/ApplicationELB", "RequestCountPerTarget", dimensions, statistic="Sum")
