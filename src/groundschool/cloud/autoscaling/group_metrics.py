"""The group metrics of a group. AWS: CloudWatch metrics for EC2 Auto Scaling, ``AWS/AutoScaling``. Pure."""

from __future__ import annotations

from collections.abc import Callable

from groundschool.cloud.autoscaling.group import Group
from groundschool.controlloop.instance import Lifecycle


def _in_service(group: Group) -> int:
    return len(group.in_state(Lifecycle.IN_SERVICE))


def _pending(group: Group) -> int:
    return len(group.where(lambda member: member.launching))


def _standby(group: Group) -> int:
    return len(group.in_state(Lifecycle.STANDBY, Lifecycle.ENTERING_STANDBY))


def _terminating(group: Group) -> int:
    return len(group.where(lambda member: member.terminating))


def _total(group: Group) -> int:
    return _in_service(group) + _pending(group) + _standby(group) + _terminating(group)


METRICS: dict[str, Callable[[Group], int]] = {
    "GroupMinSize": lambda group: group.settings.min_size,
    "GroupMaxSize": lambda group: group.settings.max_size,
    "GroupDesiredCapacity": lambda group: group.desired_capacity,
    "GroupInServiceInstances": _in_service,
    "GroupPendingInstances": _pending,
    "GroupStandbyInstances": _standby,
    "GroupTerminatingInstances": _terminating,
    "GroupTotalInstances": _total,
    # Without weights, capacity is counted in instances.
    "GroupInServiceCapacity": _in_service,
    "GroupPendingCapacity": _pending,
    "GroupStandbyCapacity": _standby,
    "GroupTerminatingCapacity": _terminating,
    "GroupTotalCapacity": _total,
}
"""Every group metric the lab measures; those of warm pools are not among them."""


def group_metrics(group: Group) -> dict[str, int]:
    """Metric name -> value now, for the metrics that are enabled; published once per minute."""
    return {name: METRICS[name](group) for name in METRICS if name in group.enabled_metrics}
