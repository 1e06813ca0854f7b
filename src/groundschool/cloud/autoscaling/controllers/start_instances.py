"""Bring launched instances into service: running, hooks passed, registered, InService."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling.activity import Status
from groundschool.cloud.autoscaling.controllers.pace import SOON
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Process, Transition
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.transitions import begin_action
from groundschool.cloud.autoscaling.warm_up import launch_warm_up
from groundschool.cloud.network.data_plane import HealthState
from groundschool.controlloop.instance import Lifecycle


def start_instances(lab: Surroundings, group: Group, now: float) -> float:
    """AWS: registration precedes InService; being healthy does not."""
    launching = group.where(lambda member: member.launching and member.state is not Lifecycle.PENDING_WAIT)
    for member in launching:
        if not member.ready:
            _get_ready(lab, group, member, now)
        elif _registered(lab, group, member):
            _put_in_service(group, member, now)
    return now + SOON if launching else inf


def _get_ready(lab: Surroundings, group: Group, member: Member, now: float) -> None:
    view = lab.fleet.view(member.instance_id)
    if view is None or view.state != "running":
        return
    hook = group.hook_for(member, Transition.LAUNCHING)
    if hook is not None:
        begin_action(member, hook, now)
        return
    member.ready = True
    member.joins_targets = not group.suspends(Process.ADD_TO_LOAD_BALANCER)


def _registered(lab: Surroundings, group: Group, member: Member) -> bool:
    """Every existing target group of the group knows the member."""
    if not member.joins_targets:
        return True
    wanted = [arn for arn in group.target_groups if lab.targets.exists(arn)]
    return all(arn in member.registered and _known(lab, arn, member) for arn in wanted)


def _known(lab: Surroundings, arn: str, member: Member) -> bool:
    health = lab.targets.health(arn, member.instance_id)
    return health.state is not HealthState.UNUSED or health.reason != "Target.NotRegistered"


def _put_in_service(group: Group, member: Member, now: float) -> None:
    member.state = Lifecycle.IN_SERVICE
    member.in_service_at = now
    if member.activity is None:
        return
    if launch_warm_up(group, member) > 0:
        member.activity.status = Status.WAITING_FOR_INSTANCE_WARMUP
    else:
        member.activity.end(Status.SUCCESSFUL, now)
