"""End lifecycle actions that nobody completed in time."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.transitions import end_action


def expire_lifecycle_actions(lab: Surroundings, group: Group, now: float) -> float:
    """The hook's default result applies at the heartbeat timeout, or at the global timeout in spite of heartbeats."""
    again = inf
    for member in group.where(lambda member: member.action is not None):
        action = member.action
        assert action is not None
        deadline = min(action.times_out_at, action.ends_at)
        if deadline <= now:
            end_action(group, member, action.default_result, "Heartbeat Timeout", lab.at(now), now)
        else:
            again = min(again, deadline)
    return again
