"""What an alarm, or a user, makes a policy do: collect the policies' votes, combine them, change the desired capacity.

The arithmetic is the control loop's; here its inputs are gathered and its outcome is carried out.
"""

from __future__ import annotations

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.group import Group, Trigger
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.scaling_policy import (
    PolicyType,
    ScalingPolicy,
    simple_scaling,
    step_scaling,
    target_tracking,
)
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.warm_up import capacity_for
from groundschool.cloud.monitoring.alarms import MetricAlarm
from groundschool.controlloop import simple_scaling as simple
from groundschool.controlloop import step_scaling as step
from groundschool.controlloop import target_tracking as tracking
from groundschool.controlloop.alarm import AlarmDecision, AlarmState
from groundschool.controlloop.decision import Decision
from groundschool.controlloop.several_policies import Vote, combine
from groundschool.controlloop.target_tracking import alarm_name


def on_alarm(
    lab: Surroundings, group: Group, policy: ScalingPolicy, alarm: MetricAlarm, decision: AlarmDecision, now: float
) -> bool:
    """``alarm`` is in ALARM and has ``policy`` as an action; True when that changed the desired capacity.

    All policies are heard, but only the one whose alarm this is may act: the others' alarms come by themselves, every
    minute that they are in ALARM. So no load is answered twice, and the cause names the right alarm.
    """
    if not policy.enabled or group.deleting or group.suspends(Process.ALARM_NOTIFICATION):
        return False
    measured_at = decision.datapoints[0].at + alarm.alarm.period if decision.datapoints else None
    group.triggers[policy.name] = Trigger(alarm.name, decision.metric, alarm.alarm.threshold, measured_at)
    votes = [vote for each in group.policies.values() if each.enabled and (vote := _vote(lab, group, each, now))]
    outcome = combine(votes, group.capacity)
    if outcome.policy_name != policy.name:
        return False
    desired = outcome.decision.desired
    words = causes.alarm(alarm.name, alarm.state.value, policy.name, group.desired_capacity, desired)
    change_by_policy(lab, group, policy, desired, words, now)
    return True


def change_by_policy(
    lab: Surroundings, group: Group, policy: ScalingPolicy, desired: int, words: str, now: float
) -> None:
    if desired != group.desired_capacity and policy.policy_type is PolicyType.SIMPLE:
        group.simple_scaled_at = now
    group.change_desired(desired, lab.at(now), words, policy.name)


def last_simple_activity(group: Group) -> simple.LastActivity | None:
    """The activities that the last simple scaling began, as one; None when there was none."""
    since = group.simple_scaled_at
    if since is None:
        return None
    ends = [activity.ended_at for activity in group.activities if activity.started_at >= since]
    finished = [end for end in ends if end is not None]
    return simple.LastActivity(max(finished, default=since) if len(finished) == len(ends) else None)


def _vote(lab: Surroundings, group: Group, policy: ScalingPolicy, now: float) -> Vote | None:
    """None: the policy's alarm is not in ALARM, and it has no say without."""
    trigger = _live_trigger(lab, group, policy)
    if policy.policy_type is PolicyType.TARGET_TRACKING:
        value = target_tracking(policy, group.name)
        return Vote(policy.name, _track(lab, group, policy, value, trigger, now), not value.disable_scale_in)
    if trigger is None:
        return None
    capacity = capacity_for(group, policy, now)
    if policy.policy_type is PolicyType.STEP:
        return Vote(policy.name, step.decide(step_scaling(policy), capacity, trigger.metric, trigger.threshold))
    cooldown, last = group.settings.default_cooldown, last_simple_activity(group)
    return Vote(policy.name, simple.decide(simple_scaling(policy), capacity, last, now, cooldown))


def _track(
    lab: Surroundings,
    group: Group,
    policy: ScalingPolicy,
    value: tracking.TargetTrackingPolicy,
    trigger: Trigger | None,
    now: float,
) -> Decision:
    """Out of ALARM the metric's value makes no difference: the policy wants the capacity as it is."""
    high, low = (
        _state(lab, alarm_name(group.name, side, uuid))
        for side, uuid in zip(("High", "Low"), policy.alarm_uuids, strict=True)
    )
    capacity = capacity_for(group, policy, now)
    if trigger is None or trigger.measured_at is None:
        return tracking.decide(value, tracking.Seen(capacity, None, high, low))
    # An instance that became warm since then is not part of the metric yet.
    averaged_over = capacity_for(group, policy, trigger.measured_at).measured
    return tracking.decide(value, tracking.Seen(capacity, trigger.metric, high, low, averaged_over))


def _live_trigger(lab: Surroundings, group: Group, policy: ScalingPolicy) -> Trigger | None:
    """The last alarm that triggered ``policy``, while it is in ALARM."""
    trigger = group.triggers.get(policy.name)
    if trigger is None or _state(lab, trigger.alarm_name) is not AlarmState.ALARM:
        return None
    return trigger


def _state(lab: Surroundings, name: str) -> AlarmState:
    alarm = lab.alarms.get(name)
    return AlarmState.INSUFFICIENT_DATA if alarm is None else alarm.state
