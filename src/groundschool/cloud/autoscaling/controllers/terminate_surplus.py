"""Terminate what the group has beyond its desired capacity."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling.controllers.terminate import terminate_chosen
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.surroundings import Surroundings


def terminate_surplus(lab: Surroundings, group: Group, now: float) -> float:
    """What rebalancing or a refresh launched ahead is not surplus yet."""
    if group.suspends(Process.TERMINATE):
        return inf
    ahead = group.balancing + (group.refresh.surge if group.refresh else 0)
    surplus = len(group.counted) - group.desired_capacity - ahead
    if surplus > 0:
        because = [change.sentence for change in group.unexplained]
        terminate_chosen(lab, group, surplus, now, because)
        if len(group.counted) == group.desired_capacity:
            group.unexplained.clear()
    return inf
