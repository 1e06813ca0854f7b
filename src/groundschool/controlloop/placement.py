"""In which Availability Zone to launch, and when to move capacity between zones.

Pure. AWS: EC2 Auto Scaling user guide, "Availability Zone distribution" and "Rebalancing activities".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from groundschool.controlloop.instance import COUNTED, LAUNCHING, GroupInstance

REBALANCE_MARGIN = 0.10
"""D: while rebalancing, a group may exceed its maximum by 10 % of the desired capacity, or by one instance."""


class RebalanceReason(StrEnum):
    LAUNCH_FIRST = "launch in the zone with fewest instances"
    TERMINATE_SURPLUS = "the replacement is in service: terminate in the zone with most instances"
    WAIT_FOR_LAUNCH = "wait for the launched instance to be in service"
    BALANCED = "balanced"
    MARGIN_USED = "the margin above the maximum is used up"


@dataclass(frozen=True)
class Rebalance:
    """Launch one instance in ``launch_in``, or terminate one in ``terminate_in``, or neither."""

    reason: RebalanceReason
    launch_in: str | None = None
    terminate_in: str | None = None


def instances_by_zone(zones: Sequence[str], instances: Iterable[GroupInstance]) -> dict[str, int]:
    """How many instances count as capacity in each of ``zones``, in the order of ``zones``."""
    counts = dict.fromkeys(zones, 0)
    for instance in instances:
        if instance.lifecycle in COUNTED and instance.availability_zone in counts:
            counts[instance.availability_zone] += 1
    return counts


def zone_to_launch_in(zones: Sequence[str], instances: Iterable[GroupInstance]) -> str:
    """The zone with the fewest instances; the first of ``zones`` among equals. ``zones`` must not be empty."""
    counts = instances_by_zone(zones, instances)
    return min(counts, key=lambda zone: counts[zone])


def rebalance(zones: Sequence[str], instances: Sequence[GroupInstance], desired: int, maximum: int) -> Rebalance:
    """The next step towards balance: zones differ by more than one instance, and capacity must not suffer.

    Launches before it terminates: first one instance more than desired, and only when all are in service one less.
    Call it at each pass while the group is otherwise at rest (no scaling in progress).
    """
    present = [instance for instance in instances if instance.lifecycle in COUNTED]
    counts = instances_by_zone(zones, present)
    most = max(counts, key=lambda zone: counts[zone])
    fewest = min(counts, key=lambda zone: counts[zone])
    if len(present) > desired:
        if any(instance.lifecycle in LAUNCHING for instance in present):
            return Rebalance(RebalanceReason.WAIT_FOR_LAUNCH)
        return Rebalance(RebalanceReason.TERMINATE_SURPLUS, terminate_in=most)
    if counts[most] - counts[fewest] <= 1:
        return Rebalance(RebalanceReason.BALANCED)
    margin = max(1, int(desired * REBALANCE_MARGIN))
    if len(present) + 1 > maximum + margin:
        return Rebalance(RebalanceReason.MARGIN_USED)
    return Rebalance(RebalanceReason.LAUNCH_FIRST, launch_in=fewest)
