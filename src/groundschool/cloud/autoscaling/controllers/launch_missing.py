"""Launch what the group lacks to its desired capacity."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.controllers.launch import launch, zones_with_capacity
from groundschool.cloud.autoscaling.group import Group, LaunchBackoff
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.member import LaunchedFor
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.controlloop.placement import zone_to_launch_in


def launch_missing(lab: Surroundings, group: Group, now: float) -> float:
    """Successors of unhealthy and refreshed instances come first: their causes say so."""
    if group.suspends(Process.LAUNCH):
        return inf
    before = len(group.counted)
    if before == group.desired_capacity:
        _at_rest(group)
    if now < group.backoff.until:
        return group.backoff.until if before < group.desired_capacity else inf
    policy = group.unexplained[-1].policy if group.unexplained else None
    for _ in range(group.desired_capacity - before):
        why = _why(group)
        by_policy = policy if why is LaunchedFor.DIFFERENCE else None
        zone = zone_to_launch_in(zones_with_capacity(group, now), group.seen())
        if not launch(lab, group, zone, why, _cause(lab, group, why, before, now), now, by_policy):
            return max(now, group.backoff.until)
        _paid(group, why)
        group.backoff = LaunchBackoff()
    return inf


def _at_rest(group: Group) -> None:
    group.unexplained.clear()
    group.replacements_owed = group.refresh_launches_owed = 0


def _why(group: Group) -> LaunchedFor:
    if group.replacements_owed:
        return LaunchedFor.UNHEALTHY
    return LaunchedFor.REFRESH if group.refresh_launches_owed else LaunchedFor.DIFFERENCE


def _paid(group: Group, why: LaunchedFor) -> None:
    group.replacements_owed -= why is LaunchedFor.UNHEALTHY
    group.refresh_launches_owed -= why is LaunchedFor.REFRESH


def _cause(lab: Surroundings, group: Group, why: LaunchedFor, before: int, now: float) -> str:
    if why is LaunchedFor.UNHEALTHY:
        return causes.sentence(lab.at(now), causes.REPLACES_UNHEALTHY)
    if why is LaunchedFor.REFRESH:
        return causes.sentence(lab.at(now), causes.REFRESH_LAUNCH)
    return group.cause(causes.sentence(lab.at(now), causes.increased(before, group.desired_capacity)))
