"""Operations on scaling policies."""

from __future__ import annotations

import uuid
from typing import Any

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.operations.answers import policy_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, page, required, unsupported
from groundschool.cloud.autoscaling.scaling import change_by_policy, last_simple_activity
from groundschool.cloud.autoscaling.scaling_policy import (
    PolicyType,
    ScalingPolicy,
    simple_scaling,
    step_scaling,
    target_tracking,
)
from groundschool.cloud.autoscaling.target_tracking_alarms import (
    alarm_arn,
    alarm_names,
    delete_alarms,
    put_alarms,
    queries_of,
)
from groundschool.cloud.autoscaling.warm_up import capacity_for
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.controlloop import simple_scaling as simple
from groundschool.controlloop import step_scaling as step
from groundschool.controlloop.decision import Decision, Reason

MOST_POLICIES = 50
MOST_STEPS = 20
"""AWS: quotas for EC2 Auto Scaling, scaling policies per group and step adjustments per policy."""

_NEEDED = {
    PolicyType.TARGET_TRACKING: ("TargetTrackingConfiguration",),
    PolicyType.STEP: ("AdjustmentType", "StepAdjustments"),
    PolicyType.SIMPLE: ("AdjustmentType", "ScalingAdjustment"),
}
_WAITS = (Reason.IN_COOLDOWN, Reason.ACTIVITY_IN_PROGRESS)


class PolicyOperations(Asking):
    def put_scaling_policy(self, call: Call, params: Params) -> Result:
        """A policy of the same name is replaced; target tracking creates its two alarms."""
        group = self.group_named(params)
        before = group.policies.get(required(params, "PolicyName"))
        if before is None and len(group.policies) >= MOST_POLICIES:
            raise AwsError("LimitExceeded", f"You have already reached the limit of {MOST_POLICIES} scaling policies.")
        policy = _parse(group, params, before)
        if before is not None and before.policy_type is PolicyType.TARGET_TRACKING:
            delete_alarms(self.lab.alarms, group, before, self.now)
        group.policies[policy.name] = policy
        group.triggers.pop(policy.name, None)
        names: list[str] = []
        if policy.policy_type is PolicyType.TARGET_TRACKING:
            names = put_alarms(self.lab.alarms, group, policy, self.now)
        return {"PolicyARN": policy.arn, "Alarms": _alarms(group, names)}

    def describe_policies(self, call: Call, params: Params) -> Result:
        groups = [self.group_named(params)] if params.get("AutoScalingGroupName") else self.service.groups.values()
        names, kinds = params.get("PolicyNames"), params.get("PolicyTypes")
        found = [
            policy_answer(group, policy, _alarms(group, alarm_names(self.lab.alarms, group, policy)))
            for group in groups
            for policy in group.policies.values()
            if (not names or {policy.name, policy.arn} & set(names)) and (not kinds or policy.policy_type in kinds)
        ]
        answers, more = page(found, params)
        return {"ScalingPolicies": answers, **more}

    def delete_policy(self, call: Call, params: Params) -> Result:
        """The alarms of target tracking go with it; alarms a user made stay."""
        group, policy = self._policy_named(params)
        if policy.policy_type is PolicyType.TARGET_TRACKING:
            delete_alarms(self.lab.alarms, group, policy, self.now)
        del group.policies[policy.name]
        group.triggers.pop(policy.name, None)
        return {}

    def execute_policy(self, call: Call, params: Params) -> Result:
        group, policy = self._policy_named(params)
        if policy.policy_type is PolicyType.TARGET_TRACKING:
            raise invalid("Cannot execute TargetTrackingScaling policies.")
        decision = self._decide(group, policy, params)
        if decision.reason in _WAITS:
            last = group.activities.last()
            what = last.activity_id if last else group.name
            raise AwsError(
                "ScalingActivityInProgress", f"Scaling activity {what} is in progress and blocks this action."
            )
        words = causes.policy_executed(policy.name, group.desired_capacity, decision.desired)
        change_by_policy(self.lab, group, policy, decision.desired, words, self.now)
        return {}

    def _decide(self, group: Group, policy: ScalingPolicy, params: Params) -> Decision:
        now, capacity = self.now, capacity_for(group, policy, self.now)
        if policy.policy_type is PolicyType.STEP:
            value, threshold = required(params, "MetricValue"), required(params, "BreachThreshold")
            return step.decide(step_scaling(policy), capacity, value, threshold)
        honor = params.get("HonorCooldown", False)
        last, cooldown = last_simple_activity(group), group.settings.default_cooldown
        return simple.decide(simple_scaling(policy), capacity, last, now, cooldown, honor)

    def _policy_named(self, params: Params) -> tuple[Group, ScalingPolicy]:
        """By name within a group, or by ARN alone."""
        name = required(params, "PolicyName")
        groups = [self.group_named(params)] if params.get("AutoScalingGroupName") else self.service.groups.values()
        for group in groups:
            for policy in group.policies.values():
                if name in (policy.name, policy.arn):
                    return group, policy
        raise invalid(f"Policy name not found: {name}")


def _alarms(group: Group, names: list[str]) -> list[dict[str, str]]:
    return [{"AlarmName": name, "AlarmARN": alarm_arn(group, name)} for name in names]


def _parse(group: Group, params: Params, before: ScalingPolicy | None) -> ScalingPolicy:
    unsupported(params, ("PredictiveScalingConfiguration", "MinAdjustmentStep"))
    if params.get("MetricAggregationType", "Average") != "Average":
        raise invalid("The lab aggregates metric data by Average: leave MetricAggregationType out.")
    given_type = params.get("PolicyType", PolicyType.SIMPLE.value)
    if given_type not in list(PolicyType):
        raise invalid(f"Policy type {given_type} is not supported by the lab: use {', '.join(PolicyType)}.")
    kind, name = PolicyType(given_type), params["PolicyName"]
    for parameter in _NEEDED[kind]:
        if params.get(parameter) is None:
            raise invalid(f"{parameter} must be specified for a policy of type {kind}.")
    kept: dict[str, Any] = {
        key: value for key, value in params.items() if key not in ("AutoScalingGroupName", "PolicyName", "PolicyType")
    }
    arn = before.arn if before else group.arn_of("scalingPolicy", str(uuid.uuid4()), f":policyName/{name}")
    tracks = kind is PolicyType.TARGET_TRACKING
    uuids = (str(uuid.uuid4()), str(uuid.uuid4())) if tracks else ("", "")
    if len(params.get("StepAdjustments", [])) > MOST_STEPS:
        raise AwsError("LimitExceeded", f"A policy can have at most {MOST_STEPS} step adjustments.")
    policy = ScalingPolicy(name, arn, kind, params.get("Enabled", True), kept, uuids)
    _check(group, policy)
    return policy


def _check(group: Group, policy: ScalingPolicy) -> None:
    """What the control loop refuses, the API refuses."""
    try:
        if policy.policy_type is PolicyType.TARGET_TRACKING:
            target_tracking(policy, group.name)
            queries_of(policy)
        elif policy.policy_type is PolicyType.SIMPLE:
            simple_scaling(policy)
        else:
            value = step_scaling(policy)
            problem = step.problem_with(value.steps, value.adjustment_type)
            if problem:
                raise ValueError(problem)
    except (ValueError, KeyError) as error:
        raise invalid(str(error)) from error
    except AwsError as error:
        raise invalid(error.message) from error
