"""Keep the target groups' registrations as the members' states demand."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling.controllers.pace import SOON
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.member import Member
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.network.data_plane import HealthState
from groundschool.controlloop.instance import Lifecycle


def register_targets(lab: Surroundings, group: Group, now: float) -> float:
    """Register who is in service or about to be; deregister everybody else, and watch them drain."""
    existing = {arn for arn in group.target_groups if lab.targets.exists(arn)}
    for member in group.members.values():
        serves = member.joins_targets and (member.state is Lifecycle.IN_SERVICE or (member.launching and member.ready))
        wanted = existing if serves else set()
        if not group.suspends(Process.ADD_TO_LOAD_BALANCER):
            for arn in wanted - member.registered:
                lab.targets.register(arn, member.instance_id)
                member.registered.add(arn)
                member.draining.discard(arn)
        _deregister(lab, member, member.registered - wanted)
        member.draining -= {arn for arn in member.draining if _drained(lab, arn, member)}
    return now + SOON if group.where(lambda member: bool(member.draining)) else inf


def _deregister(lab: Surroundings, member: Member, leaving: set[str]) -> None:
    for arn in leaving:
        member.registered.discard(arn)
        if lab.targets.exists(arn):
            lab.targets.deregister(arn, member.instance_id)
            member.draining.add(arn)


def _drained(lab: Surroundings, arn: str, member: Member) -> bool:
    if not lab.targets.exists(arn):
        return True
    return lab.targets.health(arn, member.instance_id).state is HealthState.UNUSED
