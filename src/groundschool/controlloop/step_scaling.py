"""Step scaling: the further a metric is from the alarm's threshold, the larger the step.

Pure. AWS: EC2 Auto Scaling user guide, "Step and simple scaling policies". Cooldowns do not apply; warm-up does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from groundschool.controlloop.adjustment import AdjustmentType, adjusted
from groundschool.controlloop.decision import Capacity, Decision, Reason, scale_in_to, scale_out_to, stay


@dataclass(frozen=True)
class Step:
    """AWS: ``StepAdjustment``. Bounds are differences to the threshold; None is without end."""

    adjustment: int
    lower: float | None = None
    upper: float | None = None

    @property
    def low(self) -> float:
        return -inf if self.lower is None else self.lower

    @property
    def high(self) -> float:
        return inf if self.upper is None else self.upper

    def holds(self, difference: float) -> bool:
        """Above the threshold the lower bound is inclusive, the upper exclusive; below it the other way round."""
        if self.low >= 0:
            return self.low <= difference < self.high
        if self.high <= 0:
            return self.low < difference <= self.high
        return self.low < difference < self.high


@dataclass(frozen=True)
class StepScalingPolicy:
    name: str
    adjustment_type: AdjustmentType
    steps: tuple[Step, ...]
    min_magnitude: int | None = None


def problem_with(steps: Sequence[Step], kind: AdjustmentType) -> str | None:
    """Why AWS would refuse ``steps``, None when it would take them: no gaps, no overlaps, one open end per side."""
    if not steps:
        return "At least one step adjustment must be specified"
    ordered = sorted(steps, key=lambda step: (step.low, step.high))
    if any(step.low >= step.high for step in ordered):
        return "Step adjustment lower bound must be less than its upper bound"
    for below, above in pairwise(ordered):
        if below.high > above.low:
            return "Step adjustment intervals can't overlap"
        if below.high < above.low:
            return "There is a gap between the step adjustment intervals"
    if ordered[0].low < 0 and ordered[0].low != -inf:
        return "At least one StepAdjustment must have an unspecified lower bound"
    if ordered[-1].high > 0 and ordered[-1].high != inf:
        return "At least one StepAdjustment must have an unspecified upper bound"
    if kind is AdjustmentType.EXACT and any(step.adjustment < 0 for step in steps):
        return "Scaling adjustment must not be negative for ExactCapacity"
    return None


def decide(policy: StepScalingPolicy, capacity: Capacity, metric: float | None, threshold: float) -> Decision:
    """The capacity after the step that ``metric`` falls into, when the policy's alarm is in ALARM.

    A scale-out starts from the capacity without the warming instances, a scale-in from the capacity with the
    terminating ones, so that further breaches within the same step ask for nothing more.
    """
    if metric is None:
        return stay(capacity, Reason.NO_DATA)
    step = next((step for step in policy.steps if step.holds(metric - threshold)), None)
    if step is None:
        return stay(capacity, Reason.NO_MATCHING_STEP)

    def after(base: int) -> int:
        return adjusted(base, policy.adjustment_type, step.adjustment, policy.min_magnitude)

    grows = (
        step.adjustment > capacity.desired if policy.adjustment_type is AdjustmentType.EXACT else step.adjustment > 0
    )
    if grows:
        return scale_out_to(after(capacity.measured), capacity, Reason.STEP_ADJUSTMENT)
    return scale_in_to(after(capacity.desired + capacity.terminating), capacity, Reason.STEP_ADJUSTMENT)
