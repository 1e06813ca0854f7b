"""The words AWS gives as the cause of an activity. Pure.

Every sentence starts with its UTC time; sentences are separated by two spaces. Sources: real activity logs (two spaces
and all) and the AWS CLI reference's examples.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime


def sentence(at: datetime, words: str) -> str:
    return f"At {at:%Y-%m-%dT%H:%M:%SZ} {words}."


def paragraph(sentences: Iterable[str]) -> str:
    return "  ".join(sentences)


def created(before: int, after: int) -> str:
    return f"a user request created an AutoScalingGroup {_desired(before, after)}"


def constraints(minimum: int, maximum: int, desired: int, before: int) -> str:
    """``UpdateAutoScalingGroup`` moved the desired capacity."""
    limits = f"min: {minimum}, max: {maximum}, desired: {desired}"
    return f"a user request update of AutoScalingGroup constraints to {limits} {_desired(before, desired)}"


def set_explicitly(before: int, after: int) -> str:
    return f"a user request explicitly set group desired capacity {_desired(before, after)}"


def alarm(name: str, state: str, policy: str, before: int, after: int) -> str:
    return f"a monitor alarm {name} in state {state} triggered policy {policy} {_desired(before, after)}"


def policy_executed(policy: str, before: int, after: int) -> str:
    return f"a user request executed policy {policy} {_desired(before, after)}"


def force_deleted(before: int) -> str:
    return f"a user request force deleted AutoScalingGroup {_desired(before, 0)}"


def scheduled(name: str, changes: Iterable[tuple[str, int, int]]) -> str:
    """``changes``: (``min size``, before, after), ..."""
    parts = [f"Setting {what} from {before} to {after}" for what, before, after in changes]
    return ". ".join([f"the scheduled action {name} executed", *parts])


def increased(before: int, after: int) -> str:
    return (
        "an instance was started in response to a difference between desired and actual capacity, "
        f"increasing the capacity from {before} to {after}"
    )


def shrunk(before: int, after: int) -> str:
    return (
        "an instance was taken out of service in response to a difference between desired and actual capacity, "
        f"shrinking the capacity from {before} to {after}"
    )


def selected(instance_id: str) -> str:
    return f"instance {instance_id} was selected for termination"


REPLACES_UNHEALTHY = "an instance was launched in response to an unhealthy instance needing to be replaced"
REFRESH_LAUNCH = "an instance was launched in response to an instance refresh"
REFRESH_TERMINATION = "an instance was taken out of service in response to an instance refresh"
BALANCING_LAUNCH = "an instance was launched to aid in balancing the group's zones"

ABANDONED = "an instance was taken out of service in response to an abandoned lifecycle action"
ELB_UNHEALTHY = "an instance was taken out of service in response to an ELB system health check failure"
EC2_UNHEALTHY = (
    "an instance was taken out of service in response to an EC2 health check "
    "indicating it has been terminated or stopped"
)
USER_UNHEALTHY = "an instance was taken out of service in response to a user health-check"


def balanced(zones: Iterable[str]) -> str:
    return (
        f"instances were launched to balance instances in zones {' '.join(zones)} with other zones "
        "resulting in more than desired number of instances in the group"
    )


def user_terminated(instance_id: str, shrinks: tuple[int, int] | None) -> str:
    return f"instance {instance_id} was taken out of service in response to a user request{_capacity(shrinks)}"


def detached(instance_id: str, shrinks: tuple[int, int] | None) -> str:
    return f"instance {instance_id} was detached in response to a user request{_capacity(shrinks)}"


def attached(before: int, after: int) -> str:
    return f"an instance was attached in response to a user request{_capacity((before, after))}"


def to_standby(instance_id: str, shrinks: tuple[int, int] | None) -> str:
    return f"instance {instance_id} was moved to standby in response to a user request{_capacity(shrinks)}"


def out_of_standby(instance_id: str, grows: tuple[int, int]) -> str:
    return f"instance {instance_id} was moved out of standby in response to a user request{_capacity(grows)}"


def _desired(before: int, after: int) -> str:
    return f"changing the desired capacity from {before} to {after}"


def _capacity(change: tuple[int, int] | None) -> str:
    if change is None:
        return ""
    before, after = change
    return f", {'increasing' if after > before else 'shrinking'} the capacity from {before} to {after}"
