"""Target tracking: keep a metric at a target value.

Pure. A policy owns two alarms; the caller has them evaluated (:mod:`~groundschool.controlloop.alarm`) and calls
:func:`decide` whenever one of them is in ALARM, once per minute while it stays so.
AWS: EC2 Auto Scaling user guide, "Target tracking scaling policies". The formulas are not published; those below agree
with the real runs of ``docs/control-loop-validation.md``.

**Which N.** The metric is an average per instance, so N is the number of instances it was averaged over: the desired
capacity without the instances that are still warming up (``Capacity.measured``; in a group at rest that *is* the
desired capacity). The result is compared with the desired capacity, warming instances included. Taking the whole
desired capacity as N would multiply the load by instances that do not carry it yet: an alarm that stays in ALARM would
add instances every minute of a warm-up, and AWS promises that warming instances keep it from adding more than needed.
For the same reason an instance whose warm-up has ended counts only from the first datapoint that it is part of
(``Seen.averaged_over``): with basic monitoring that can be five minutes later. Real run V3 needs this.
AlarmLow's threshold and the scale-in rule take the desired capacity: a scale-in never happens during a warm-up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from groundschool.controlloop.alarm import Alarm, AlarmState, Comparison
from groundschool.controlloop.decision import Capacity, Decision, Reason, scale_in_to, scale_out_to, stay
from groundschool.controlloop.tracked_metric import TrackedMetric

HIGH_PERIODS = 3
"""O: AlarmHigh needs 3 of 3 datapoints of 60 s."""
LOW_PERIODS = 15
"""O: AlarmLow needs 15 of 15 datapoints of 60 s."""
LOW_FACTOR_MIN = 0.70
"""I: the least AlarmLow's threshold can be, as a part of the target (seen for groups of 1 to 3)."""
LOW_FACTOR_MAX = 0.90
"""I: the most AlarmLow's threshold can be, as a part of the target (seen at creation)."""


@dataclass(frozen=True)
class TargetTrackingPolicy:
    """A policy of type ``TargetTrackingScaling``."""

    name: str
    target_value: float
    metric: TrackedMetric
    disable_scale_in: bool = False


@dataclass(frozen=True)
class PolicyAlarms:
    """The alarms a policy owns. ``low`` is None when scale-in is disabled (I: it would have nothing to do)."""

    high: Alarm
    low: Alarm | None


@dataclass(frozen=True)
class Seen:
    """What a policy decides on: its alarms' states and the newest value of its metric (None: no data).

    ``averaged_over`` is the number of instances ``metric`` is an average over; None: all that are warm now.
    """

    capacity: Capacity
    metric: float | None
    high: AlarmState
    low: AlarmState = AlarmState.OK
    averaged_over: int | None = None


def low_factor(desired: int) -> float:
    """AlarmLow's threshold as a part of the target: ``clamp(1 - 1/N, 0.70, 0.90)``, N the desired capacity.

    One instance of N carries 1/N of the load: below ``1 - 1/N`` the others could take it over and stay within the
    target. I: fits the values seen (0.70 at 1 to 3, 0.90 at creation; at 7 a threshold of 42.5, which is 0.85 if the
    target was 50, where this gives 0.857).
    """
    return min(LOW_FACTOR_MAX, max(LOW_FACTOR_MIN, 1 - 1 / desired if desired else LOW_FACTOR_MIN))


def alarm_name(group_name: str, side: str, uuid: str) -> str:
    """``TargetTracking-<group>-AlarmHigh-<uuid>``; ``side`` is ``High`` or ``Low``."""
    return f"TargetTracking-{group_name}-Alarm{side}-{uuid}"


def alarms_of(
    policy: TargetTrackingPolicy, group_name: str, desired: int, high_uuid: str, low_uuid: str
) -> PolicyAlarms:
    """The alarms ``policy`` shall have while the group's desired capacity is ``desired``.

    After each change of capacity AlarmLow's threshold changes with it: put it again.
    """
    high = Alarm(
        alarm_name(group_name, "High", high_uuid),
        threshold=policy.target_value,
        comparison=Comparison.GREATER,
        evaluation_periods=HIGH_PERIODS,
    )
    if policy.disable_scale_in:
        return PolicyAlarms(high, None)
    low = Alarm(
        alarm_name(group_name, "Low", low_uuid),
        threshold=low_factor(desired) * policy.target_value,
        comparison=Comparison.LESS,
        evaluation_periods=LOW_PERIODS,
    )
    return PolicyAlarms(high, low)


def decide(policy: TargetTrackingPolicy, seen: Seen) -> Decision:
    """The capacity this policy wants, and why."""
    capacity = seen.capacity
    if seen.metric is None:
        return stay(capacity, Reason.NO_DATA)
    if seen.high is AlarmState.ALARM:
        measured = capacity.measured if seen.averaged_over is None else seen.averaged_over
        return _scale_out(policy, capacity, seen.metric, measured)
    if seen.low is AlarmState.ALARM:
        return _scale_in(policy, capacity, seen.metric)
    if AlarmState.INSUFFICIENT_DATA in (seen.high, seen.low):
        return stay(capacity, Reason.NO_DATA)
    return stay(capacity, Reason.WITHIN_TARGET)


def _scale_out(policy: TargetTrackingPolicy, capacity: Capacity, metric: float, measured: int) -> Decision:
    """``ceil(N * metric / target)``. O: two real logs agree. A group of 0 counts as 1, or it could never start (U)."""
    if metric <= policy.target_value:
        # The alarm's datapoints breached; a newer one already does not.
        return stay(capacity, Reason.WITHIN_TARGET)
    instances = measured if capacity.desired else 1
    return scale_out_to(_ceil(instances * metric / policy.target_value), capacity, Reason.ABOVE_TARGET)


def _scale_in(policy: TargetTrackingPolicy, capacity: Capacity, metric: float) -> Decision:
    """One instance per action, and none if the rest would then be over the target.

    O: every real log found removes one at a time, the next 20 to 60 s later, while the former is still terminating;
    so terminating instances do not hold it back here as they do in step scaling.
    """
    if policy.disable_scale_in:
        return stay(capacity, Reason.SCALE_IN_DISABLED)
    decision = scale_in_to(capacity.desired - 1, capacity, Reason.BELOW_TARGET)
    if decision.changes(capacity) and metric * capacity.desired > policy.target_value * decision.desired:
        return stay(capacity, Reason.WOULD_EXCEED_TARGET)
    return decision


def _ceil(wanted: float) -> int:
    """Round up, but not for the last bit of a float: 3 * 50.0 / 50.0 must not become 4."""
    return math.ceil(wanted - 1e-9)
