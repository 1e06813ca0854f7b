"""Records in the shapes of boto3's answers."""

from __future__ import annotations

import json
from typing import Any

from groundschool.cloud.autoscaling.activity import Activity
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.instance_refresh import InstanceRefresh
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.scaling_policy import ScalingPolicy
from groundschool.cloud.autoscaling.scheduled_action import ScheduledAction
from groundschool.cloud.autoscaling.settings import LifecycleHook, Settings, Tag
from groundschool.cloud.autoscaling.surroundings import Surroundings

Answer = dict[str, Any]


def without_none(answer: Answer) -> Answer:
    return {key: value for key, value in answer.items() if value is not None}


def group_answer(lab: Surroundings, group: Group, with_instances: bool) -> Answer:
    settings = group.settings
    return without_none(
        {
            "AutoScalingGroupName": group.name,
            "AutoScalingGroupARN": group.arn,
            **_template_answer(settings),
            "MinSize": settings.min_size,
            "MaxSize": settings.max_size,
            "DesiredCapacity": group.desired_capacity,
            "DefaultCooldown": int(settings.default_cooldown),
            "AvailabilityZones": list(settings.availability_zones),
            "LoadBalancerNames": [],
            "TargetGroupARNs": list(group.target_groups),
            "HealthCheckType": settings.health_check_type,
            "HealthCheckGracePeriod": int(settings.health_check_grace_period),
            "Instances": [_instance(member) for member in group.members.values()] if with_instances else [],
            "CreatedTime": lab.at(group.created_at),
            "SuspendedProcesses": [
                {
                    "ProcessName": process.value,
                    "SuspensionReason": f"User suspended at {lab.at(since):%Y-%m-%dT%H:%M:%SZ}",
                }
                for process, since in sorted(group.suspended.items())
            ],
            "VPCZoneIdentifier": settings.vpc_zone_identifier,
            "EnabledMetrics": [{"Metric": name, "Granularity": "1Minute"} for name in sorted(group.enabled_metrics)],
            "Status": "Delete in progress" if group.deleting else None,
            "Tags": [tag_answer(group, tag) for tag in group.tags.values()],
            "TerminationPolicies": list(settings.termination_policies),
            "NewInstancesProtectedFromScaleIn": settings.new_instances_protected,
            "ServiceLinkedRoleARN": (
                f"arn:aws:iam::{group.account_id}:role/aws-service-role/autoscaling.amazonaws.com/"
                "AWSServiceRoleForAutoScaling"
            ),
            "DefaultInstanceWarmup": _whole(settings.default_instance_warmup),
            "TrafficSources": [{"Identifier": arn, "Type": "elbv2"} for arn in group.target_groups],
        }
    )


def _template_answer(settings: Settings) -> Answer:
    if settings.mixed_instances_policy is not None:
        return {"MixedInstancesPolicy": dict(settings.mixed_instances_policy)}
    return {"LaunchTemplate": dict(settings.launch_template)}


def _instance(member: Member) -> Answer:
    template = member.template
    return without_none(
        {
            "InstanceId": member.instance_id,
            "InstanceType": member.instance_type,
            "AvailabilityZone": member.availability_zone,
            "LifecycleState": member.state.value,
            "HealthStatus": member.health.value,
            "ProtectedFromScaleIn": member.protected,
            "LaunchTemplate": template
            and {
                "LaunchTemplateId": template.launch_template_id,
                "LaunchTemplateName": template.launch_template_name,
                "Version": template.version,
            },
        }
    )


def instance_answer(group: Group, member: Member) -> Answer:
    """For ``DescribeAutoScalingInstances``, which writes the health status in capitals."""
    answer = _instance(member)
    return {**answer, "AutoScalingGroupName": group.name, "HealthStatus": member.health.value.upper()}


def activity_answer(lab: Surroundings, group: Group, activity: Activity) -> Answer:
    return without_none(
        {
            "ActivityId": activity.activity_id,
            "AutoScalingGroupName": group.name,
            "Description": activity.description,
            "Cause": activity.cause,
            "StartTime": lab.at(activity.started_at),
            "EndTime": None if activity.ended_at is None else lab.at(activity.ended_at),
            "StatusCode": activity.status.value,
            "StatusMessage": activity.status_message,
            "Progress": activity.progress,
            "Details": json.dumps(activity.details, separators=(",", ":")),
            "AutoScalingGroupARN": group.arn,
        }
    )


def tag_answer(group: Group, tag: Tag) -> Answer:
    return {
        "ResourceId": group.name,
        "ResourceType": "auto-scaling-group",
        "Key": tag.key,
        "Value": tag.value,
        "PropagateAtLaunch": tag.propagates,
    }


def hook_answer(group: Group, hook: LifecycleHook) -> Answer:
    return without_none(
        {
            "LifecycleHookName": hook.name,
            "AutoScalingGroupName": group.name,
            "LifecycleTransition": hook.transition.value,
            "RoleARN": hook.role_arn,
            "NotificationMetadata": hook.notification_metadata,
            "HeartbeatTimeout": int(hook.heartbeat_timeout),
            "GlobalTimeout": int(hook.global_timeout),
            "DefaultResult": hook.default_result,
        }
    )


def policy_answer(group: Group, policy: ScalingPolicy, alarms: list[dict[str, str]]) -> Answer:
    return {
        **policy.parameters,
        "AutoScalingGroupName": group.name,
        "PolicyName": policy.name,
        "PolicyARN": policy.arn,
        "PolicyType": policy.policy_type.value,
        "Enabled": policy.enabled,
        "Alarms": alarms,
    }


def scheduled_answer(group: Group, action: ScheduledAction) -> Answer:
    return without_none(
        {
            "AutoScalingGroupName": group.name,
            "ScheduledActionName": action.name,
            "ScheduledActionARN": action.arn,
            "Time": action.start_time,
            "StartTime": action.start_time,
            "EndTime": action.end_time,
            "Recurrence": action.recurrence and action.recurrence.expression,
            "MinSize": action.min_size,
            "MaxSize": action.max_size,
            "DesiredCapacity": action.desired_capacity,
            "TimeZone": action.time_zone if action.recurrence else None,
        }
    )


def refresh_answer(lab: Surroundings, group: Group, refresh: InstanceRefresh) -> Answer:
    return without_none(
        {
            "InstanceRefreshId": refresh.refresh_id,
            "AutoScalingGroupName": group.name,
            "Status": refresh.status.value,
            "StatusReason": refresh.reason,
            "StartTime": lab.at(refresh.started_at),
            "EndTime": None if refresh.ended_at is None else lab.at(refresh.ended_at),
            "PercentageComplete": refresh.percentage_complete,
            "InstancesToUpdate": refresh.instances_to_update,
            "Preferences": dict(refresh.given_preferences),
            "DesiredConfiguration": refresh.desired_configuration,
            "Strategy": "Rolling",
        }
    )


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
