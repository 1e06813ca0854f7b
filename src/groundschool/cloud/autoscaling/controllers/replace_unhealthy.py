"""Take unhealthy members out, as many at a time as AWS would; launching their successors is the launcher's task."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.member import LaunchedFor, Member, Unhealthy
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.transitions import begin_termination
from groundschool.controlloop.replace_unhealthy import HealthChecks, replacements

_CAUSES = {
    Unhealthy.EC2: causes.EC2_UNHEALTHY,
    Unhealthy.ELB: causes.ELB_UNHEALTHY,
    Unhealthy.USER: causes.USER_UNHEALTHY,
}


def replace_unhealthy(lab: Surroundings, group: Group, now: float) -> float:
    """A replacement is in progress until the new instance is in service, or has failed itself."""
    if group.suspends(Process.REPLACE_UNHEALTHY) or group.suspends(Process.TERMINATE):
        return inf
    in_progress = group.replacements_owed + len(group.where(_under_way))
    # The members carry their mark already: grace period and load balancer were looked at when it was made.
    for verdict in replacements(group.seen(), group.desired_capacity, HealthChecks(), now, in_progress):
        if verdict.replace:
            member = group.members[verdict.instance_id]
            assert member.unhealthy is not None
            cause = causes.sentence(lab.at(now), _CAUSES[member.unhealthy])
            begin_termination(group, member, cause, now)
            group.replacements_owed += 1
    return inf


def _under_way(member: Member) -> bool:
    return member.launching and member.launched_for is LaunchedFor.UNHEALTHY and not member.unhealthy
