"""See members off: drained, hooks passed, terminated, forgotten; likewise those on their way to standby or detached."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling.activity import Status
from groundschool.cloud.autoscaling.controllers.pace import SOON
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Transition
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.transitions import DRAINING, begin_action
from groundschool.controlloop.instance import Lifecycle

_LEAVING = (Lifecycle.ENTERING_STANDBY, Lifecycle.DETACHING)


def end_instances(lab: Surroundings, group: Group, now: float) -> float:
    """AWS: the load balancer lets go first (its whole deregistration delay), then hooks, then EC2 terminates."""
    for member in group.where(lambda member: member.terminating):
        _terminate(lab, group, member, now)
    for member in group.in_state(*_LEAVING):
        _leave(group, member, now)
    moving = group.where(lambda member: member.terminating or member.state in _LEAVING)
    return now + SOON if moving else inf


def _terminate(lab: Surroundings, group: Group, member: Member, now: float) -> None:
    if member.ended:
        view = lab.fleet.view(member.instance_id)
        if view is None or view.state == "terminated":
            _forget(group, member, now)
    elif member.state is Lifecycle.TERMINATING_WAIT or _drains(group, member):
        return
    elif (hook := group.hook_for(member, Transition.TERMINATING)) is not None:
        begin_action(member, hook, now)
    else:
        lab.fleet.terminate(member.instance_id)
        member.ended = True


def _drains(group: Group, member: Member) -> bool:
    """Also shows it in the activity. A group deleted by force does not wait."""
    drains = bool(member.registered or member.draining) and not group.deleting
    activity = member.activity
    if activity is not None and drains and activity.status is Status.IN_PROGRESS:
        activity.status = Status.WAITING_FOR_ELB_CONNECTION_DRAINING
        activity.description += DRAINING
    elif activity is not None and not drains and activity.status is Status.WAITING_FOR_ELB_CONNECTION_DRAINING:
        activity.status = Status.IN_PROGRESS
        activity.description = activity.description.removesuffix(DRAINING)
    return drains


def _leave(group: Group, member: Member, now: float) -> None:
    if _drains(group, member):
        return
    if member.state is Lifecycle.DETACHING:
        _forget(group, member, now)
        return
    member.state = Lifecycle.STANDBY
    if member.activity is not None:
        member.activity.end(Status.SUCCESSFUL, now)


def _forget(group: Group, member: Member, now: float) -> None:
    del group.members[member.instance_id]
    if member.activity is not None:
        member.activity.end(Status.SUCCESSFUL, now)
