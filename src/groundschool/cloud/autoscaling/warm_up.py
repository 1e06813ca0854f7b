"""Which members are still warming up: the group's settings and policies applied to the control loop's arithmetic."""

from __future__ import annotations

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.scaling_policy import ScalingPolicy
from groundschool.controlloop.decision import Capacity
from groundschool.controlloop.instance import Lifecycle
from groundschool.controlloop.warm_up import is_warming, warm_up_time, warming


def policy_warm_up(group: Group, policy: ScalingPolicy) -> float:
    """Seconds a policy lets an instance warm up."""
    settings = group.settings
    return warm_up_time(policy.estimated_instance_warmup, settings.default_instance_warmup, settings.default_cooldown)


def metric_warm_up(group: Group) -> float:
    """Seconds an instance is left out of the group's metrics.

    AWS leaves it out of each policy's own metric for that policy's warm-up; the lab has one group metric and uses the
    longest. Without a policy that warms up: the default instance warm-up, or nothing.
    """
    policies = [policy for policy in group.policies.values() if policy.enabled and policy.warms_up]
    if policies:
        return max(policy_warm_up(group, policy) for policy in policies)
    return max(group.settings.default_instance_warmup or 0.0, 0.0)


def launch_warm_up(group: Group, member: Member) -> float:
    """Seconds after InService until the activity that launched ``member`` ends: only a policy's launch waits."""
    policy = group.policies.get(member.launched_by_policy or "")
    return policy_warm_up(group, policy) if policy and policy.warms_up else 0.0


def metric_members(group: Group, now: float) -> tuple[str, ...]:
    """The instances whose measurements make up the group's metrics: in service and warm."""
    warm_up = metric_warm_up(group)
    in_service = group.in_state(Lifecycle.IN_SERVICE)
    return tuple(member.instance_id for member in in_service if not is_warming(member.seen(), warm_up, now))


def capacity_for(group: Group, policy: ScalingPolicy, now: float) -> Capacity:
    """The group's capacity as ``policy`` sees it."""
    warm = warming(group.seen(), policy_warm_up(group, policy), now)
    return Capacity(
        group.desired_capacity,
        group.settings.min_size,
        group.settings.max_size,
        warming=min(len(warm), group.desired_capacity),
        terminating=len(group.where(lambda member: member.terminating)),
    )
