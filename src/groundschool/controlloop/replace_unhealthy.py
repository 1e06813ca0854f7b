"""Which instances a group replaces because they are unhealthy.

Pure; times in lab seconds. AWS: EC2 Auto Scaling user guide, "Health checks for instances" and "health check grace
period".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from groundschool.controlloop.instance import COUNTED, GroupInstance, Lifecycle

REPLACED_AT_A_TIME = 0.10
"""D: at most this part of the desired capacity is replaced at a time, at least one instance."""
NOT_RUNNING = frozenset({"stopping", "stopped", "shutting-down", "terminated"})
"""EC2 states that fail the EC2 health check. ``pending`` is none of them: the instance is still starting."""


class HealthReason(StrEnum):
    """Why an instance is replaced, or not yet."""

    EC2_NOT_RUNNING = "it is not running"
    ELB_UNHEALTHY = "its load balancer health check failed"
    REPORTED_UNHEALTHY = "it was reported unhealthy"
    IN_GRACE_PERIOD = "it is in the health check grace period"
    THROTTLED = "other instances are being replaced"


@dataclass(frozen=True)
class HealthChecks:
    """The group's settings. ``grace_period`` in lab seconds (D: 300 from the console, 0 from the API)."""

    elb: bool = False
    grace_period: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """On one instance with something wrong. ``look_again_in`` is None when only other events can change it."""

    instance_id: str
    replace: bool
    reason: HealthReason
    look_again_in: float | None = None


def judge(instance: GroupInstance, checks: HealthChecks, now: float) -> Verdict | None:
    """What is wrong with ``instance`` itself, throttling apart; None when nothing is.

    Not running counts at once, also in the grace period. What a load balancer says counts when ELB health checks are
    on and the grace period, which starts when the instance is InService, is over.
    """
    if instance.lifecycle not in COUNTED:
        return None
    if instance.ec2_state in NOT_RUNNING:
        return Verdict(instance.instance_id, True, HealthReason.EC2_NOT_RUNNING)
    if instance.lifecycle is not Lifecycle.IN_SERVICE:
        return None
    if instance.reported_unhealthy:
        return Verdict(instance.instance_id, True, HealthReason.REPORTED_UNHEALTHY)
    if not (checks.elb and instance.elb_unhealthy):
        return None
    left = (instance.in_service_since or 0.0) + checks.grace_period - now
    if left > 0:
        return Verdict(instance.instance_id, False, HealthReason.IN_GRACE_PERIOD, look_again_in=left)
    return Verdict(instance.instance_id, True, HealthReason.ELB_UNHEALTHY)


def replacements(
    instances: Sequence[GroupInstance], desired: int, checks: HealthChecks, now: float, in_progress: int = 0
) -> tuple[Verdict, ...]:
    """One verdict per instance with something wrong, those that are not running first.

    ``in_progress`` is how many replacements have begun (unhealthy instance taken out) whose new instance is not yet
    InService. The verdicts with ``replace`` are to be carried out now; calling again with the same input says the same.
    """
    judged = [verdict for instance in instances if (verdict := judge(instance, checks, now)) is not None]
    judged.sort(key=lambda verdict: verdict.reason is not HealthReason.EC2_NOT_RUNNING)
    room = max(1, int(desired * REPLACED_AT_A_TIME)) - in_progress
    decided = []
    for verdict in judged:
        if verdict.replace:
            room -= 1
        throttled = verdict.replace and room < 0
        decided.append(Verdict(verdict.instance_id, False, HealthReason.THROTTLED) if throttled else verdict)
    return tuple(decided)
