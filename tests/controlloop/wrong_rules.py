"""Negative controls: wrong rules that the comparison with real runs must find."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from groundschool.controlloop import target_tracking
from groundschool.controlloop.alarm import Alarm, AlarmState
from groundschool.controlloop.decision import Decision, Reason, scale_in_to, scale_out_to
from groundschool.controlloop.target_tracking import PolicyAlarms, Seen, TargetTrackingPolicy

from .virtual_group import THE_CONTROL_LOOP, Rules


@dataclass(frozen=True)
class WrongRule:
    """``seen`` is False for a mistake that no run can show."""

    name: str
    rules: Rules
    seen: bool = True


class ShortSighted(Alarm):
    """An alarm that never looks further back than its N periods."""

    @property
    def evaluation_range(self) -> int:
        return self.evaluation_periods


def alarms(change: Callable[[PolicyAlarms], PolicyAlarms]) -> Rules:
    return Rules(alarms_of=lambda policy, desired: change(THE_CONTROL_LOOP.alarms_of(policy, desired)))


def high_of(periods: int) -> Rules:
    return alarms(lambda ours: replace(ours, high=replace(ours.high, evaluation_periods=periods)))


def low_of(periods: int) -> Rules:
    return alarms(lambda ours: replace(ours, low=ours.low and replace(ours.low, evaluation_periods=periods)))


def _low_at(factor: float) -> Rules:
    return Rules(
        alarms_of=lambda policy, desired: replace(
            (ours := THE_CONTROL_LOOP.alarms_of(policy, desired)),
            low=ours.low and replace(ours.low, threshold=factor * policy.target_value),
        )
    )


def _short_sighted(ours: PolicyAlarms) -> PolicyAlarms:
    return PolicyAlarms(ShortSighted(**vars(ours.high)), ours.low and ShortSighted(**vars(ours.low)))


def _scale_out(size: Callable[[TargetTrackingPolicy, Seen, float], int]) -> Rules:
    def decide(policy: TargetTrackingPolicy, seen: Seen) -> Decision:
        if seen.high is AlarmState.ALARM and seen.metric is not None and seen.metric > policy.target_value:
            return scale_out_to(size(policy, seen, seen.metric), seen.capacity, Reason.ABOVE_TARGET)
        return target_tracking.decide(policy, seen)

    return Rules(decide=decide)


def _symmetrical(policy: TargetTrackingPolicy, seen: Seen) -> Decision:
    if seen.low is AlarmState.ALARM and seen.metric is not None:
        wanted = math.ceil(seen.capacity.desired * seen.metric / policy.target_value)
        return scale_in_to(wanted, seen.capacity, Reason.BELOW_TARGET)
    return target_tracking.decide(policy, seen)


WRONG_RULES = (
    WrongRule("AlarmHigh: 1 of 1 datapoint", high_of(1)),
    WrongRule("AlarmHigh: 2 of 2 datapoints", high_of(2), seen=False),
    WrongRule("AlarmHigh: 5 of 5 datapoints", high_of(5)),
    WrongRule("AlarmLow: 3 of 3 datapoints, as AlarmHigh", low_of(3)),
    WrongRule("AlarmLow: 10 of 10 datapoints", low_of(10)),
    WrongRule("AlarmLow: 20 of 20 datapoints", low_of(20)),
    WrongRule("AlarmLow at half of the target", _low_at(0.5)),
    WrongRule("an alarm looks back over its N periods only", alarms(_short_sighted), seen=False),
    WrongRule("an alarm acts only when its state changes", Rules(acts_again=False)),
    WrongRule(
        "scale-out rounds down",
        _scale_out(lambda policy, seen, metric: int((seen.averaged_over or 0) * metric / policy.target_value)),
    ),
    WrongRule("scale-out adds one at a time", _scale_out(lambda policy, seen, metric: seen.capacity.desired + 1)),
    WrongRule(
        "scale-out counts warming instances as N",
        _scale_out(lambda policy, seen, metric: math.ceil(seen.capacity.desired * metric / policy.target_value)),
    ),
    WrongRule(
        "scale-out counts instances before they are measured",
        Rules(decide=lambda policy, seen: target_tracking.decide(policy, replace(seen, averaged_over=None))),
    ),
    WrongRule("no warm-up", Rules(heeds_warm_up=False)),
    WrongRule("scale-in is symmetrical: all at once", Rules(decide=_symmetrical)),
)
