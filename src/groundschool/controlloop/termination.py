"""Which instance a scale-in terminates.

Pure; chance is passed in. AWS: EC2 Auto Scaling user guide, "Configure termination policies".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from groundschool.controlloop.instance import COUNTED, GroupInstance

Choose = Callable[[Sequence[GroupInstance]], GroupInstance]
"""Picks one of several equals: ``random.choice`` in the lab, a fixed rule in tests."""

BILLING_HOUR = 3600.0


class TerminationPolicy(StrEnum):
    """AWS: ``TerminationPolicies``, those that make sense without mixed instances."""

    DEFAULT = "Default"
    OLDEST_INSTANCE = "OldestInstance"
    NEWEST_INSTANCE = "NewestInstance"
    OLDEST_LAUNCH_TEMPLATE = "OldestLaunchTemplate"
    OLDEST_LAUNCH_CONFIGURATION = "OldestLaunchConfiguration"
    CLOSEST_TO_NEXT_INSTANCE_HOUR = "ClosestToNextInstanceHour"


class TerminationReason(StrEnum):
    """What singled the instance out."""

    ONLY_CANDIDATE = "the only candidate in the zone with most instances"
    LAUNCH_TEMPLATE = "it has the oldest launch template"
    AGE = "its age"
    BILLING_HOUR = "it is closest to its next billing hour"
    CHANCE = "chosen among equals"
    ALL_PROTECTED = "every instance is protected from scale-in"
    NO_INSTANCE = "the group has no instance"


@dataclass(frozen=True)
class Termination:
    """The instance to terminate, None when there is none to take."""

    instance_id: str | None
    reason: TerminationReason


_RANK: dict[TerminationPolicy, Callable[[GroupInstance, float], float]] = {
    TerminationPolicy.OLDEST_INSTANCE: lambda instance, _now: instance.launched_at,
    TerminationPolicy.NEWEST_INSTANCE: lambda instance, _now: -instance.launched_at,
    TerminationPolicy.OLDEST_LAUNCH_TEMPLATE: lambda instance, _now: instance.template_created_at,
    TerminationPolicy.OLDEST_LAUNCH_CONFIGURATION: lambda instance, _now: instance.template_created_at,
    TerminationPolicy.CLOSEST_TO_NEXT_INSTANCE_HOUR: lambda instance, now: (
        BILLING_HOUR - (now - instance.launched_at) % BILLING_HOUR
    ),
}
_REASON = {
    TerminationPolicy.OLDEST_INSTANCE: TerminationReason.AGE,
    TerminationPolicy.NEWEST_INSTANCE: TerminationReason.AGE,
    TerminationPolicy.OLDEST_LAUNCH_TEMPLATE: TerminationReason.LAUNCH_TEMPLATE,
    TerminationPolicy.OLDEST_LAUNCH_CONFIGURATION: TerminationReason.LAUNCH_TEMPLATE,
    TerminationPolicy.CLOSEST_TO_NEXT_INSTANCE_HOUR: TerminationReason.BILLING_HOUR,
}
_DEFAULT_ORDER = (TerminationPolicy.OLDEST_LAUNCH_TEMPLATE, TerminationPolicy.CLOSEST_TO_NEXT_INSTANCE_HOUR)


def choose_instance(
    instances: Sequence[GroupInstance],
    choose: Choose,
    now: float,
    policies: Sequence[TerminationPolicy] = (TerminationPolicy.DEFAULT,),
    zone: str | None = None,
) -> Termination:
    """The one instance to terminate next; call it again, without that instance, for the next.

    First come the zones with most instances that have an unprotected one (``zone`` restricts it to one: rebalancing),
    then ``policies`` in their order (Default: oldest launch template, closest to the billing hour), then chance.
    Protected instances are never chosen.
    """
    present = [i for i in instances if i.lifecycle in COUNTED and zone in (None, i.availability_zone)]
    if not present:
        return Termination(None, TerminationReason.NO_INSTANCE)
    candidates = _in_largest_zones(present)
    if not candidates:
        return Termination(None, TerminationReason.ALL_PROTECTED)
    if len(candidates) == 1:
        return Termination(candidates[0].instance_id, TerminationReason.ONLY_CANDIDATE)
    for policy in _expand(policies):
        rank = _RANK[policy]
        best = min(rank(instance, now) for instance in candidates)
        candidates = [instance for instance in candidates if rank(instance, now) == best]
        if len(candidates) == 1:
            return Termination(candidates[0].instance_id, _REASON[policy])
    return Termination(choose(candidates).instance_id, TerminationReason.CHANCE)


def _in_largest_zones(present: Sequence[GroupInstance]) -> list[GroupInstance]:
    """The unprotected instances of the zones with most instances, protected ones counted."""
    sizes = Counter(instance.availability_zone for instance in present)
    free = [instance for instance in present if not instance.protected]
    largest = max((sizes[instance.availability_zone] for instance in free), default=0)
    return [instance for instance in free if sizes[instance.availability_zone] == largest]


def _expand(policies: Sequence[TerminationPolicy]) -> list[TerminationPolicy]:
    order: list[TerminationPolicy] = []
    for policy in policies:
        order.extend(_DEFAULT_ORDER if policy is TerminationPolicy.DEFAULT else (policy,))
    return order
