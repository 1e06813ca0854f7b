"""How long an instance warms up, and which ones still do. Pure; times in lab seconds.

AWS: EC2 Auto Scaling user guide, "Set the default instance warmup".
"""

from __future__ import annotations

from collections.abc import Iterable

from groundschool.controlloop.instance import LAUNCHING, GroupInstance, Lifecycle

DEFAULT_COOLDOWN = 300.0
"""D: the group's default cooldown when none is given."""


def warm_up_time(
    policy_warm_up: float | None, default_instance_warm_up: float | None, default_cooldown: float = DEFAULT_COOLDOWN
) -> float:
    """The policy's ``EstimatedInstanceWarmup``, else the group's ``DefaultInstanceWarmup``, else its cooldown."""
    if policy_warm_up is not None:
        return policy_warm_up
    if default_instance_warm_up is not None and default_instance_warm_up >= 0:
        return default_instance_warm_up
    return default_cooldown


def warm_up_left(instance: GroupInstance, warm_up: float, now: float) -> float:
    """Lab seconds until ``instance`` is warm: all of it while it is launching, 0 when it is warm or leaving."""
    if instance.lifecycle in LAUNCHING:
        return warm_up
    if instance.lifecycle is not Lifecycle.IN_SERVICE or instance.in_service_since is None:
        return 0.0
    return max(0.0, instance.in_service_since + warm_up - now)


def is_warming(instance: GroupInstance, warm_up: float, now: float) -> bool:
    """True for an instance that is launching, and until ``warm_up`` has passed since it became InService.

    A warming instance is left out of the group's metric, but counts as capacity.
    """
    return instance.lifecycle in LAUNCHING or warm_up_left(instance, warm_up, now) > 0


def warming(instances: Iterable[GroupInstance], warm_up: float, now: float) -> tuple[str, ...]:
    """The ids of the instances that are warming up: for ``Capacity.warming`` take the length."""
    return tuple(instance.instance_id for instance in instances if is_warming(instance, warm_up, now))
