"""Keep the alarms of target-tracking policies as the desired capacity demands."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.scaling_policy import PolicyType
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.target_tracking_alarms import put_alarms


def renew_alarms(lab: Surroundings, group: Group, now: float) -> float:
    for policy in group.policies.values():
        if policy.policy_type is PolicyType.TARGET_TRACKING:
            put_alarms(lab.alarms, group, policy, now)
    return inf
