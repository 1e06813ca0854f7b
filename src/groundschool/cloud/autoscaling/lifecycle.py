"""Words of the instance lifecycle that only the living service needs. AWS: instance lifecycle, lifecycle hooks.

The states themselves are :class:`groundschool.controlloop.instance.Lifecycle`.
"""

from __future__ import annotations

from enum import StrEnum

from groundschool.controlloop.instance import COUNTED, Lifecycle

TERMINATING = frozenset({Lifecycle.TERMINATING, Lifecycle.TERMINATING_WAIT, Lifecycle.TERMINATING_PROCEED})


def target_state(state: Lifecycle) -> Lifecycle:
    """The state an instance in ``state`` is on its way to: IMDS ``autoscaling/target-lifecycle-state``."""
    if state in COUNTED:
        return Lifecycle.IN_SERVICE
    if state in TERMINATING:
        return Lifecycle.TERMINATED
    return Lifecycle.DETACHED if state is Lifecycle.DETACHING else state


class Transition(StrEnum):
    """When a lifecycle hook holds an instance. AWS: ``LifecycleTransition``."""

    LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
    TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


class HealthStatus(StrEnum):
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"


class Process(StrEnum):
    """What ``SuspendProcesses`` can stop. AWS: suspend and resume processes."""

    LAUNCH = "Launch"
    TERMINATE = "Terminate"
    ADD_TO_LOAD_BALANCER = "AddToLoadBalancer"
    ALARM_NOTIFICATION = "AlarmNotification"
    AZ_REBALANCE = "AZRebalance"
    HEALTH_CHECK = "HealthCheck"
    INSTANCE_REFRESH = "InstanceRefresh"
    REPLACE_UNHEALTHY = "ReplaceUnhealthy"
    SCHEDULED_ACTIONS = "ScheduledActions"
