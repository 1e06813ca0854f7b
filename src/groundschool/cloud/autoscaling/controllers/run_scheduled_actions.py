"""Set a group's sizes when a scheduled action is due."""

from __future__ import annotations

from datetime import datetime
from math import inf

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.scheduled_action import ScheduledAction
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.controlloop import scheduled


def run_scheduled_actions(lab: Surroundings, group: Group, now: float) -> float:
    """What fell due while the process was suspended is not made up for."""
    since, until = lab.at(group.scheduled_until), lab.at(now)
    due = [
        (moment, action)
        for action in group.scheduled_actions.values()
        if (moment := action.next_after(since)) is not None and moment <= until
    ]
    group.scheduled_until = now
    for _, action in sorted(due, key=lambda pair: pair[0]):
        if action.recurrence is None:
            del group.scheduled_actions[action.name]
        if not group.suspends(Process.SCHEDULED_ACTIONS):
            _run(group, action, until)
    return _next(lab, group, until)


def _run(group: Group, action: ScheduledAction, at: datetime) -> None:
    before = group.capacity
    wanted = scheduled.ScheduledAction(action.name, action.min_size, action.max_size, action.desired_capacity)
    try:
        sizes = scheduled.decide(wanted, before)
    except ValueError:
        return  # AWS runs it without effect, too: the group's other bound has changed since the action was put.
    group.resize(sizes.minimum, sizes.maximum)
    changes = [
        ("min size", before.minimum, sizes.minimum),
        ("max size", before.maximum, sizes.maximum),
        ("desired capacity", before.desired, sizes.decision.desired),
    ]
    words = causes.scheduled(action.name, [change for change in changes if change[1] != change[2]])
    group.change_desired(sizes.decision.desired, at, words)


def _next(lab: Surroundings, group: Group, until: datetime) -> float:
    coming = [moment for action in group.scheduled_actions.values() if (moment := action.next_after(until))]
    return lab.clock.lab_time(min(coming)) if coming else inf
