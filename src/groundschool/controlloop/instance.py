"""One instance of a group, as the control loop sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Lifecycle(StrEnum):
    """AWS: EC2 Auto Scaling user guide, instance lifecycle."""

    PENDING = "Pending"
    PENDING_WAIT = "Pending:Wait"
    PENDING_PROCEED = "Pending:Proceed"
    IN_SERVICE = "InService"
    TERMINATING = "Terminating"
    TERMINATING_WAIT = "Terminating:Wait"
    TERMINATING_PROCEED = "Terminating:Proceed"
    TERMINATED = "Terminated"
    DETACHING = "Detaching"
    DETACHED = "Detached"
    ENTERING_STANDBY = "EnteringStandby"
    STANDBY = "Standby"


LAUNCHING = frozenset({Lifecycle.PENDING, Lifecycle.PENDING_WAIT, Lifecycle.PENDING_PROCEED})
COUNTED = LAUNCHING | {Lifecycle.IN_SERVICE}
"""The states that count towards the desired capacity. (Standby does not: AWS lowers the desired capacity for it.)"""


@dataclass(frozen=True)
class GroupInstance:
    """An instance of an Auto Scaling group. Times are lab seconds."""

    instance_id: str
    availability_zone: str
    lifecycle: Lifecycle = Lifecycle.IN_SERVICE
    launched_at: float = 0.0
    in_service_since: float | None = None
    """When it became InService; None before that."""
    template_created_at: float = 0.0
    """When the launch template version (or launch configuration) it was launched from was created."""
    protected: bool = False
    """Instance scale-in protection."""
    ec2_state: str = "running"
    """EC2's state name."""
    elb_unhealthy: bool = False
    """A target group or load balancer of the group calls it unhealthy."""
    reported_unhealthy: bool = False
    """SetInstanceHealth said Unhealthy."""
