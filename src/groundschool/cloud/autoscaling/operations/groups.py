"""Operations on groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.operations import group_settings
from groundschool.cloud.autoscaling.operations.answers import group_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, page, required
from groundschool.cloud.autoscaling.operations.hooks import parse_hook
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result

MOST_GROUPS = 500
"""AWS: quotas for EC2 Auto Scaling, Auto Scaling groups per Region."""


class GroupOperations(Asking):
    def create_auto_scaling_group(self, call: Call, params: Params) -> Result:
        name = required(params, "AutoScalingGroupName")
        required(params, "MinSize")
        required(params, "MaxSize")
        if name in self.service.groups:
            raise AwsError(
                "AlreadyExists",
                f"AutoScalingGroup by this name already exists - A group with the name {name} already exists",
            )
        if len(self.service.groups) >= MOST_GROUPS:
            raise AwsError("LimitExceeded", f"You have already reached the limit of {MOST_GROUPS} Auto Scaling groups.")
        settings = group_settings.new_settings(self.lab, params)
        desired = params.get("DesiredCapacity", settings.min_size)
        group_settings.check_desired(desired, settings)
        target_groups = _target_groups(params)
        group_settings.check_target_groups(self.lab, target_groups)
        now = self.now
        group = Group(name, call.region, call.account_id, now, settings, target_groups=target_groups)
        group.scheduled_until = now
        group.tags = group_settings.parse_tags(name, params.get("Tags", []))
        group.hooks = {hook.name: hook for hook in map(parse_hook, params.get("LifecycleHookSpecificationList", []))}
        group.change_desired(desired, self.lab.at(now), causes.created(0, desired))
        self.service.groups[name] = group
        return {}

    def update_auto_scaling_group(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        _refuse_when_deleting(group)
        settings = group_settings.changed_settings(self.lab, group.settings, params)
        if "DesiredCapacity" in params:
            group_settings.check_desired(params["DesiredCapacity"], settings)
        desired = params.get("DesiredCapacity", group.desired_capacity)
        desired = max(settings.min_size, min(settings.max_size, desired))
        words = causes.constraints(settings.min_size, settings.max_size, desired, group.desired_capacity)
        group.settings = settings
        group.change_desired(desired, self.lab.at(self.now), words)
        return {}

    def set_desired_capacity(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        _refuse_when_deleting(group)
        desired, settings = required(params, "DesiredCapacity"), group.settings
        for side, bound, wrong in (
            ("above max", settings.max_size, desired > settings.max_size),
            ("below min", settings.min_size, desired < settings.min_size),
        ):
            if wrong:
                raise invalid(
                    f"New SetDesiredCapacity value {desired} is {side} value {bound} for the AutoScalingGroup."
                )
        if params.get("HonorCooldown"):
            self._refuse_in_cooldown(group)
        group.change_desired(desired, self.lab.at(self.now), causes.set_explicitly(group.desired_capacity, desired))
        return {}

    def _refuse_in_cooldown(self, group: Group) -> None:
        last = group.activities.last()
        if last is None:
            return
        if last.ended_at is None or last.ended_at + group.settings.default_cooldown > self.now:
            raise AwsError(
                "ScalingActivityInProgress",
                f"Scaling activity {last.activity_id} is in progress and blocks this action.",
            )

    def delete_auto_scaling_group(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        if not params.get("ForceDelete"):
            _refuse_in_use(group)
        self.service.delete(group, self.now)
        return {}

    def describe_auto_scaling_groups(self, call: Call, params: Params) -> Result:
        names = params.get("AutoScalingGroupNames") or list(self.service.groups)
        groups = [self.service.groups[name] for name in names if name in self.service.groups]
        groups = [group for group in groups if _passes(group, params.get("Filters", []))]
        found, more = page(groups, params)
        with_instances = params.get("IncludeInstances", True)
        return {"AutoScalingGroups": [group_answer(self.lab, group, with_instances) for group in found], **more}


def _target_groups(params: Params) -> tuple[str, ...]:
    sources = group_settings.traffic_sources(params.get("TrafficSources", []))
    return tuple(dict.fromkeys([*params.get("TargetGroupARNs", []), *sources]))


def _refuse_when_deleting(group: Group) -> None:
    if group.deleting:
        raise AwsError(
            "ScalingActivityInProgress", f"AutoScalingGroup {group.name} is being deleted and cannot be changed."
        )


def _refuse_in_use(group: Group) -> None:
    if group.counted or group.desired_capacity or group.where(lambda member: not member.terminating):
        raise AwsError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
            "still in the group.",
        )
    if group.members:
        raise AwsError(
            "ScalingActivityInProgress",
            "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
        )


def _passes(group: Group, filters: Iterable[Mapping[str, Any]]) -> bool:
    """AWS: ``tag-key``, ``tag-value`` and ``tag:<key>``; every filter must match with one of its values."""
    for wanted in filters:
        name, values = wanted.get("Name", ""), wanted.get("Values", [])
        if name == "tag-key":
            has = set(group.tags)
        elif name == "tag-value":
            has = {tag.value for tag in group.tags.values()}
        elif name.startswith("tag:"):
            tag = group.tags.get(name.removeprefix("tag:"))
            has = {tag.value} if tag else set()
        else:
            raise invalid(f"Filter name {name} is not valid: use tag-key, tag-value or tag:<key>.")
        if not has & set(values):
            return False
    return True
