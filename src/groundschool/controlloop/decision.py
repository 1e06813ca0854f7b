"""What a scaling policy sees of its group, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ONE_MINUTE = 60.0
"""An alarm in ALARM acts again once per minute while it stays so. AWS: EC2 Auto Scaling user guide."""


class Reason(StrEnum):
    """Why a policy answered as it did. Doing nothing has reasons, too."""

    ABOVE_TARGET = "above target"
    BELOW_TARGET = "below target"
    STEP_ADJUSTMENT = "step adjustment"
    SIMPLE_ADJUSTMENT = "simple adjustment"
    SCHEDULED = "scheduled"

    WITHIN_TARGET = "within target"
    NO_DATA = "no data"
    NO_MATCHING_STEP = "no matching step"
    AT_MAX = "at the maximum"
    AT_MIN = "at the minimum"
    IN_WARMUP = "instances are warming up"
    IN_COOLDOWN = "in cooldown"
    ACTIVITY_IN_PROGRESS = "a scaling activity is in progress"
    WOULD_EXCEED_TARGET = "one instance less would exceed the target"
    SCALE_IN_DISABLED = "scale-in is disabled"
    ALREADY_REQUESTED = "already requested"
    POLICIES_DISAGREE = "another policy does not agree to scale in"
    NO_POLICY = "no policy"


@dataclass(frozen=True)
class Capacity:
    """A group's capacity as a policy sees it.

    ``warming`` is the part of ``desired`` that is pending or has not finished its warm-up (see
    :mod:`~groundschool.controlloop.warm_up`). ``terminating`` instances are already outside ``desired``.
    """

    desired: int
    minimum: int
    maximum: int
    warming: int = 0
    terminating: int = 0

    @property
    def measured(self) -> int:
        """The instances that the group's metric is an average over: ``desired`` without the warming ones."""
        return max(self.desired - self.warming, 0)

    def clamp(self, wanted: int) -> int:
        """``wanted`` inside minimum and maximum."""
        return max(self.minimum, min(self.maximum, wanted))


@dataclass(frozen=True)
class Decision:
    """The capacity to have, and why. ``look_again_in`` is in lab seconds."""

    desired: int
    reason: Reason
    look_again_in: float = ONE_MINUTE

    def changes(self, capacity: Capacity) -> bool:
        """Whether carrying this out changes the group's desired capacity."""
        return self.desired != capacity.desired


def stay(capacity: Capacity, reason: Reason, look_again_in: float = ONE_MINUTE) -> Decision:
    """The decision to do nothing, with its reason."""
    return Decision(capacity.desired, reason, look_again_in)


def scale_out_to(wanted: int, capacity: Capacity, reason: Reason) -> Decision:
    """Raise the desired capacity to ``wanted`` within the maximum; never lowers it.

    A desired capacity that already covers ``wanted`` is kept: the instances that are still warming up count as
    capacity, so that an alarm that stays in ALARM does not ask twice for the same load.
    """
    desired = capacity.clamp(wanted)
    if desired > capacity.desired:
        return Decision(desired, reason)
    if capacity.desired >= capacity.maximum:
        return stay(capacity, Reason.AT_MAX)
    return stay(capacity, Reason.IN_WARMUP if capacity.warming else Reason.ALREADY_REQUESTED)


def scale_in_to(wanted: int, capacity: Capacity, reason: Reason) -> Decision:
    """Lower the desired capacity to ``wanted`` within the minimum; never raises it; blocked during a warm-up."""
    if capacity.desired <= capacity.minimum:
        return stay(capacity, Reason.AT_MIN)
    if capacity.warming:
        return stay(capacity, Reason.IN_WARMUP)
    desired = capacity.clamp(wanted)
    if desired < capacity.desired:
        return Decision(desired, reason)
    return stay(capacity, Reason.ALREADY_REQUESTED)
