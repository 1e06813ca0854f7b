"""Terminate members chosen by the termination policies, and say why in their activities."""

from __future__ import annotations

import random
from collections.abc import Sequence

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.transitions import begin_termination
from groundschool.controlloop.instance import GroupInstance, Lifecycle
from groundschool.controlloop.termination import TerminationPolicy, choose_instance


def terminate_chosen(
    lab: Surroundings,
    group: Group,
    number: int,
    now: float,
    because: Sequence[str] = (),
    zone: str | None = None,
) -> None:
    """Begin the termination of ``number`` members, fewer when the rest is protected. ``because`` begins the cause."""
    left, chosen = group.seen(), []
    for _ in range(number):
        choice = _choose(group, left, now, zone)
        if choice is None:
            break
        chosen.append(choice)
        left = [instance for instance in left if instance.instance_id != choice]
    _terminate(lab, group, chosen, now, because)


def terminate_all(lab: Surroundings, group: Group, now: float) -> None:
    """Everybody, the protected and those on standby, too; hooks and drains are not waited for."""
    for member in group.members.values():
        member.no_more_hooks = True
        if member.terminating:
            member.state, member.action = Lifecycle.TERMINATING, None
    staying = [member.instance_id for member in group.members.values() if not member.terminating]
    _terminate(lab, group, staying, now, [change.sentence for change in group.unexplained])


def _terminate(lab: Surroundings, group: Group, chosen: list[str], now: float, because: Sequence[str]) -> None:
    """All of them share one cause, which names each."""
    if not chosen:
        return
    at, before = lab.at(now), len(group.counted)
    shrunk = causes.sentence(at, causes.shrunk(before, before - len(chosen)))
    cause = causes.paragraph([*because, shrunk, *(causes.sentence(at, causes.selected(each)) for each in chosen)])
    for instance_id in chosen:
        begin_termination(group, group.members[instance_id], cause, now)


def _choose(group: Group, instances: list[GroupInstance], now: float, zone: str | None) -> str | None:
    policies = [TerminationPolicy(name) for name in group.settings.termination_policies]
    return choose_instance(instances, random.choice, now, policies, zone).instance_id
