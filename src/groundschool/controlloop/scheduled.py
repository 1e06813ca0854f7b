"""Scheduled actions: what a group's sizes are when an action's time comes.

Pure. When a recurrence is due is the caller's question (it needs a calendar).
AWS: EC2 Auto Scaling user guide, "Scheduled scaling".
"""

from __future__ import annotations

from dataclasses import dataclass

from groundschool.controlloop.decision import Capacity, Decision, Reason


@dataclass(frozen=True)
class ScheduledAction:
    """The sizes to set; None leaves one as it is."""

    name: str
    minimum: int | None = None
    maximum: int | None = None
    desired: int | None = None


@dataclass(frozen=True)
class Sizes:
    """A group's new minimum and maximum, and the decision on its desired capacity."""

    minimum: int
    maximum: int
    decision: Decision


def decide(action: ScheduledAction, capacity: Capacity) -> Sizes:
    """The sizes after ``action``. A new minimum or maximum moves the desired capacity into its bounds.

    Raises ValueError when the action's minimum would exceed its maximum.
    """
    minimum = capacity.minimum if action.minimum is None else action.minimum
    maximum = capacity.maximum if action.maximum is None else action.maximum
    if minimum > maximum:
        raise ValueError(f"the minimum {minimum} of scheduled action {action.name} exceeds the maximum {maximum}")
    wanted = capacity.desired if action.desired is None else action.desired
    desired = max(minimum, min(maximum, wanted))
    changed = desired != capacity.desired
    return Sizes(minimum, maximum, Decision(desired, Reason.SCHEDULED if changed else Reason.ALREADY_REQUESTED))
