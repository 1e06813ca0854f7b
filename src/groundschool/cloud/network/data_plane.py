"""The seam between the lab and whatever moves its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from groundschool.cloud.network.plan import NetworkPlan


class HealthState(StrEnum):
    """AWS: ``TargetHealth.State``."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"


@dataclass(frozen=True)
class TargetHealth:
    """What ``DescribeTargetHealth`` tells of one target; ``reason`` and ``description`` are None when healthy."""

    state: HealthState
    reason: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class RequestRecord:
    """One finished request through a load balancer, from the access log. Times in real seconds."""

    finished_at: float
    """Unix time."""
    load_balancer: str
    """Its ARN."""
    target_group: str | None
    """Its ARN, None when no target group was chosen (redirect, fixed response, 503 without targets)."""
    instance_id: str | None
    status: int
    from_target: bool
    """True: the target answered with this status. False: the load balancer made it (502, 503, 504, 460)."""
    seconds: float
    """From the last byte of the request sent to the target to the first byte of its answer: TargetResponseTime."""
    received_bytes: int
    sent_bytes: int
    rule_action: str | None = None
    """``fixed-response`` or ``redirect`` when a listener rule told the load balancer to answer; else None."""
    connection: int | None = None
    """The client's connection: equal for the requests that shared it, never used twice."""
    target_connection: int | None = None
    """The connection to the target, in the same way; None when no target was reached."""


@dataclass(frozen=True)
class Traffic:
    """Bytes through one instance's interface, headers included: EC2's NetworkIn and NetworkOut."""

    received: int = 0
    sent: int = 0


NOT_REGISTERED = TargetHealth(
    HealthState.UNUSED, "Target.NotRegistered", "Target is not registered to the target group"
)
NOT_IN_USE = TargetHealth(
    HealthState.UNUSED,
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
DRAINING = TargetHealth(HealthState.DRAINING, "Target.DeregistrationInProgress", "Target deregistration is in progress")


class DataPlane(Protocol):
    """Makes a :class:`NetworkPlan` real, and reports what it sees."""

    def start(self) -> None:
        """Returns when it serves. Raises LabError with one clear line when it cannot."""

    def apply(self, plan: NetworkPlan) -> None:
        """Level-based and idempotent; returns at once, takes effect within milliseconds."""

    def health(self, target_group_arn: str, instance_id: str, port: int) -> TargetHealth:
        """What the health checks say now. Unknown targets are ``unused`` with ``Target.NotRegistered``."""

    def take_requests(self) -> list[RequestRecord]:
        """The requests finished since the last call."""

    def take_traffic(self) -> dict[str, Traffic]:
        """Instance id -> the bytes of the connections that ended since the last call."""

    def alive(self) -> bool:
        """False when its process is gone; the supervisor then starts it again and applies the plan once more."""

    def stop(self) -> None:
        """Ends it; safe to call twice."""
