"""End the activities of launches that waited for the instance's warm-up."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling.activity import Status
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.warm_up import launch_warm_up


def finish_warm_ups(_lab: Surroundings, group: Group, now: float) -> float:
    again = inf
    for member in group.where(lambda member: member.in_service_at is not None):
        activity = member.activity
        if activity is None or activity.status is not Status.WAITING_FOR_INSTANCE_WARMUP:
            continue
        warm_at = (member.in_service_at or now) + launch_warm_up(group, member)
        if warm_at <= now:
            activity.end(Status.SUCCESSFUL, now)
        else:
            again = min(again, warm_at)
    return again
