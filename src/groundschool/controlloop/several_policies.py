"""Several policies on one group: scale out if any asks, scale in only if all agree.

Pure. AWS: EC2 Auto Scaling user guide, "Multiple scaling policies".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from groundschool.controlloop.decision import Capacity, Decision, Reason, stay


@dataclass(frozen=True)
class Vote:
    """One policy's decision.

    ``has_say_in_scale_in`` is False for target-tracking policies with scale-in disabled; it is False, too, for step and
    simple policies whose alarm is not in ALARM, which simply do not ask. A target-tracking policy without data has a
    say and does not agree.
    """

    policy_name: str
    decision: Decision
    has_say_in_scale_in: bool = True


@dataclass(frozen=True)
class Outcome:
    """What the group does, and which policy it follows (None when it does nothing)."""

    decision: Decision
    policy_name: str | None = None


def combine(votes: Sequence[Vote], capacity: Capacity) -> Outcome:
    """The largest capacity wins. Below the present one it wins only if every policy with a say asks for less."""
    if not votes:
        return Outcome(stay(capacity, Reason.NO_POLICY))
    largest = max(votes, key=lambda vote: vote.decision.desired)
    if largest.decision.desired > capacity.desired:
        return Outcome(largest.decision, largest.policy_name)
    asking = [vote for vote in votes if vote.decision.desired < capacity.desired]
    if not asking:
        return Outcome(votes[0].decision)
    if any(vote.has_say_in_scale_in and vote not in asking for vote in votes):
        return Outcome(stay(capacity, Reason.POLICIES_DISAGREE))
    mildest = max(asking, key=lambda vote: vote.decision.desired)
    return Outcome(mildest.decision, mildest.policy_name)
