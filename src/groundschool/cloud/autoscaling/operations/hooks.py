"""Operations on lifecycle hooks and lifecycle actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Transition
from groundschool.cloud.autoscaling.member import Member, OpenAction
from groundschool.cloud.autoscaling.operations.answers import hook_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, required, unsupported
from groundschool.cloud.autoscaling.settings import LifecycleHook
from groundschool.cloud.autoscaling.transitions import end_action
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result

MOST_HOOKS = 50
"""AWS: quotas for EC2 Auto Scaling, lifecycle hooks per group."""


class HookOperations(Asking):
    def put_lifecycle_hook(self, call: Call, params: Params) -> Result:
        """Changes what it names of an existing hook, creates it otherwise."""
        group = self.group_named(params)
        name = required(params, "LifecycleHookName")
        if name not in group.hooks and len(group.hooks) >= MOST_HOOKS:
            raise AwsError("LimitExceeded", f"You have already reached the limit of {MOST_HOOKS} lifecycle hooks.")
        group.hooks[name] = parse_hook(params, group.hooks.get(name))
        return {}

    def describe_lifecycle_hooks(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        names = params.get("LifecycleHookNames") or list(group.hooks)
        return {"LifecycleHooks": [hook_answer(group, group.hooks[name]) for name in names if name in group.hooks]}

    def delete_lifecycle_hook(self, call: Call, params: Params) -> Result:
        """AWS: outstanding lifecycle actions of the hook are completed first (launching ABANDON, else CONTINUE)."""
        group = self.group_named(params)
        name = required(params, "LifecycleHookName")
        if name not in group.hooks:
            raise invalid(f"No Lifecycle Hook found with name {name} for AutoScalingGroup {group.name}")
        for member in group.where(lambda member: member.action is not None and member.action.hook_name == name):
            result = "ABANDON" if member.launching else "CONTINUE"
            end_action(group, member, result, "Lifecycle Hook deleted", self.lab.at(self.now), self.now)
        del group.hooks[name]
        return {}

    def complete_lifecycle_action(self, call: Call, params: Params) -> Result:
        group, member, _ = self._open_action(params)
        result = required(params, "LifecycleActionResult")
        if result not in ("CONTINUE", "ABANDON"):
            raise invalid(f"Lifecycle action result must be CONTINUE or ABANDON, not {result}.")
        words = f"Lifecycle Action Completed with {result} Result"
        end_action(group, member, result, words, self.lab.at(self.now), self.now)
        return {}

    def record_lifecycle_action_heartbeat(self, call: Call, params: Params) -> Result:
        _, _, action = self._open_action(params)
        action.times_out_at = self.now + action.heartbeat_timeout
        return {}

    def describe_lifecycle_hook_types(self, call: Call, params: Params) -> Result:
        return {"LifecycleHookTypes": [transition.value for transition in Transition]}

    def _open_action(self, params: Params) -> tuple[Group, Member, OpenAction]:
        """By token or by instance, whichever was given."""
        group = self.group_named(params)
        name = required(params, "LifecycleHookName")
        token, instance_id = params.get("LifecycleActionToken"), params.get("InstanceId")
        if not token and not instance_id:
            raise invalid("Either a lifecycle action token or an instance ID must be given.")
        for member in group.members.values():
            action = member.action
            if (
                action is not None
                and action.hook_name == name
                and (action.token == token or member.instance_id == instance_id)
            ):
                return group, member, action
        what = f"token {token}" if token else f"instance ID {instance_id}"
        raise invalid(f"No active Lifecycle Action found with {what}")


def parse_hook(params: Mapping[str, Any], before: LifecycleHook | None = None) -> LifecycleHook:
    """From ``PutLifecycleHook`` or a ``LifecycleHookSpecification``. AWS's limits: 30 to 7200 seconds."""
    unsupported(dict(params), ("NotificationTargetARN",))
    transition = params.get("LifecycleTransition") or (before.transition if before else None)
    if transition not in list(Transition):
        raise invalid(f"Lifecycle transition must be one of {', '.join(Transition)}.")
    hook = before or LifecycleHook(params["LifecycleHookName"], Transition(transition))
    hook = replace(
        hook,
        transition=Transition(transition),
        heartbeat_timeout=params.get("HeartbeatTimeout", hook.heartbeat_timeout),
        default_result=params.get("DefaultResult", hook.default_result),
        notification_metadata=params.get("NotificationMetadata", hook.notification_metadata),
        role_arn=params.get("RoleARN", hook.role_arn),
    )
    if not 30 <= hook.heartbeat_timeout <= 7200:
        raise invalid("Heartbeat timeout must be between 30 and 7200 seconds.")
    if hook.default_result not in ("CONTINUE", "ABANDON"):
        raise invalid("Lifecycle Hook default result must be CONTINUE or ABANDON.")
    return hook
