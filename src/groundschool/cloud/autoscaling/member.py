"""An instance as its group knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from groundschool.cloud.autoscaling.activity import Activity
from groundschool.cloud.autoscaling.lifecycle import TERMINATING, HealthStatus, Transition
from groundschool.cloud.autoscaling.surroundings import TemplateVersion
from groundschool.controlloop.instance import COUNTED, LAUNCHING, GroupInstance, Lifecycle


class LaunchedFor(StrEnum):
    """Why an instance was launched; what its activity's cause and its warm-up follow from."""

    DIFFERENCE = "difference"
    UNHEALTHY = "unhealthy"
    REBALANCE = "rebalance"
    REFRESH = "refresh"
    ATTACHED = "attached"


class Unhealthy(StrEnum):
    """Which check failed."""

    EC2 = "EC2"
    ELB = "ELB"
    USER = "user"


@dataclass
class OpenAction:
    """A lifecycle action that holds an instance in a Wait state. Times are lab seconds."""

    hook_name: str
    token: str
    transition: Transition
    default_result: str
    heartbeat_timeout: float
    times_out_at: float
    ends_at: float
    """AWS: 48 hours or 100 times the heartbeat timeout, whichever is smaller; heartbeats cannot pass it."""


@dataclass(eq=False)
class Member:
    """One instance of a group. Changed only by that group's controllers and operations."""

    instance_id: str
    instance_type: str
    availability_zone: str
    image_id: str
    template: TemplateVersion | None
    """None for an attached instance, which no template of the group launched."""
    launched_at: float
    launched_for: LaunchedFor
    state: Lifecycle = Lifecycle.PENDING
    activity: Activity | None = None
    """The running activity about this instance."""
    launched_by_policy: str | None = None
    """The scaling policy whose decision launched it; its activity ends only after the warm-up."""
    protected: bool = False
    unhealthy: Unhealthy | None = None
    """The check that marked it Unhealthy; a mark is not taken back by a passing check. AWS: health checks."""
    in_service_at: float | None = None
    registered: set[str] = field(default_factory=set)
    """Target groups it was registered with and is not drained from."""
    draining: set[str] = field(default_factory=set)
    joins_targets: bool = True
    """False when it came into service while AddToLoadBalancer was suspended: AWS does not add it later."""
    ready: bool = False
    """Running and past its launching hooks: may be registered and put in service."""
    ended: bool = False
    """EC2 was told to terminate it."""
    action: OpenAction | None = None
    hooks_passed: set[str] = field(default_factory=set)
    """Hooks whose action has ended. A name is used once per group, so launching and terminating hooks cannot meet."""
    no_more_hooks: bool = False
    """An ABANDON while terminating ends the remaining hooks too; so does ForceDelete."""

    @property
    def health(self) -> HealthStatus:
        return HealthStatus.UNHEALTHY if self.unhealthy else HealthStatus.HEALTHY

    @property
    def launching(self) -> bool:
        return self.state in LAUNCHING

    @property
    def counts(self) -> bool:
        """Part of the group's actual capacity."""
        return self.state in COUNTED

    @property
    def terminating(self) -> bool:
        return self.state in TERMINATING

    def seen(self) -> GroupInstance:
        """As the control loop sees it.

        Health is what the group has marked, not what the checks say now: a mark stays until the instance is replaced.
        """
        return GroupInstance(
            self.instance_id,
            self.availability_zone,
            self.state,
            self.launched_at,
            self.in_service_at,
            template_created_at=self.template.created_at.timestamp() if self.template else 0.0,
            protected=self.protected,
            ec2_state="terminated" if self.unhealthy is Unhealthy.EC2 else "running",
            reported_unhealthy=self.unhealthy is not None,
        )
