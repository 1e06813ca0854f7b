"""Move capacity between Availability Zones: launch in the poorer zone first, then terminate in the richer one."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.controllers.launch import launch, zones_with_capacity
from groundschool.cloud.autoscaling.controllers.terminate import terminate_chosen
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.member import LaunchedFor
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.controlloop.placement import rebalance

_NEEDS = (Process.AZ_REBALANCE, Process.LAUNCH, Process.TERMINATE)


def balance_zones(lab: Surroundings, group: Group, now: float) -> float:
    """Only while nothing else moves: no difference to the desired capacity, nobody unhealthy, no refresh."""
    present, zones = group.counted, zones_with_capacity(group, now)
    possible = len(zones) > 1 and not any(group.suspends(process) for process in _NEEDS)
    # What was launched ahead and has no purpose any more is surplus, like any other.
    group.balancing = group.balancing and possible and len(present) > group.desired_capacity
    if not possible or group.refresh or group.deleting or now < group.backoff.until:
        return inf
    if len(present) != group.desired_capacity + group.balancing or any(member.unhealthy for member in present):
        return inf
    if not group.balancing and any(member.launching for member in present):
        return inf
    step = rebalance(zones, group.seen(), group.desired_capacity, group.settings.max_size)
    if step.launch_in is not None:
        cause = causes.sentence(lab.at(now), causes.BALANCING_LAUNCH)
        group.balancing = launch(lab, group, step.launch_in, LaunchedFor.REBALANCE, cause, now)
    elif step.terminate_in is not None:
        group.balancing = False
        poorer = [zone for zone in zones if zone != step.terminate_in]
        why = causes.sentence(lab.at(now), causes.balanced(poorer))
        terminate_chosen(lab, group, 1, now, because=(why,), zone=step.terminate_in)
    return inf
