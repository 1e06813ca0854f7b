"""Mark members unhealthy: EC2 at once, load balancer after the grace period."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.member import Member, Unhealthy
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.network.data_plane import HealthState
from groundschool.controlloop.instance import GroupInstance
from groundschool.controlloop.replace_unhealthy import HealthChecks, HealthReason, judge

PERIOD = 5.0
"""Lab seconds between two looks at the members. AWS does not publish its own period."""

_MARKS = {HealthReason.EC2_NOT_RUNNING: Unhealthy.EC2, HealthReason.ELB_UNHEALTHY: Unhealthy.ELB}


def check_health(lab: Surroundings, group: Group, now: float) -> float:
    if group.suspends(Process.HEALTH_CHECK):
        return inf
    checks = HealthChecks(group.settings.elb_health_checked, group.settings.health_check_grace_period)
    again = inf
    for member in group.counted:
        again = min(again, now + PERIOD)
        if member.unhealthy is not None:
            continue
        verdict = judge(_seen(lab, member), checks, now)
        if verdict is not None and verdict.replace:
            member.unhealthy = _MARKS[verdict.reason]
        elif verdict is not None and verdict.look_again_in is not None:
            again = min(again, now + verdict.look_again_in)
    return again


def _seen(lab: Surroundings, member: Member) -> GroupInstance:
    view = lab.fleet.view(member.instance_id)
    return replace(
        member.seen(),
        ec2_state=view.state if view else "terminated",
        elb_unhealthy=any(
            lab.targets.health(arn, member.instance_id).state is HealthState.UNHEALTHY for arn in member.registered
        ),
    )
