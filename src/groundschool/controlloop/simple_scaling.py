"""Simple scaling: one adjustment, then wait for the activity and the cooldown.

Pure; times in lab seconds. AWS: EC2 Auto Scaling user guide, "Scaling cooldowns".
"""

from __future__ import annotations

from dataclasses import dataclass

from groundschool.controlloop.adjustment import AdjustmentType, adjusted
from groundschool.controlloop.decision import Capacity, Decision, Reason, stay
from groundschool.controlloop.warm_up import DEFAULT_COOLDOWN


@dataclass(frozen=True)
class SimpleScalingPolicy:
    """``cooldown`` None: the group's default cooldown."""

    name: str
    adjustment_type: AdjustmentType
    adjustment: int
    min_magnitude: int | None = None
    cooldown: float | None = None


@dataclass(frozen=True)
class LastActivity:
    """The group's last scaling activity. ``ended_at`` is None while it is in progress."""

    ended_at: float | None


def decide(
    policy: SimpleScalingPolicy,
    capacity: Capacity,
    last: LastActivity | None,
    now: float,
    default_cooldown: float = DEFAULT_COOLDOWN,
    honor_cooldown: bool = True,
) -> Decision:
    """The capacity after the adjustment, when the policy's alarm is in ALARM and nothing is to be waited for.

    ``honor_cooldown`` False is ``ExecutePolicy`` without HonorCooldown. Warm-up has no part in simple scaling.
    """
    if honor_cooldown and last is not None:
        if last.ended_at is None:
            return stay(capacity, Reason.ACTIVITY_IN_PROGRESS)
        cooldown = default_cooldown if policy.cooldown is None else policy.cooldown
        left = last.ended_at + cooldown - now
        if left > 0:
            return stay(capacity, Reason.IN_COOLDOWN, look_again_in=left)
    wanted = adjusted(capacity.desired, policy.adjustment_type, policy.adjustment, policy.min_magnitude)
    desired = capacity.clamp(wanted)
    if desired != capacity.desired:
        return Decision(desired, Reason.SIMPLE_ADJUSTMENT)
    if wanted == capacity.desired:
        return stay(capacity, Reason.ALREADY_REQUESTED)
    return stay(capacity, Reason.AT_MAX if wanted > capacity.desired else Reason.AT_MIN)
