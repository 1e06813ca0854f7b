"""How a member leaves, and how a lifecycle action begins and ends: shared by controllers and operations."""

from __future__ import annotations

import uuid
from datetime import datetime

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.activity import Activity, Status
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Transition
from groundschool.cloud.autoscaling.member import Member, OpenAction
from groundschool.cloud.autoscaling.settings import LifecycleHook
from groundschool.controlloop.instance import Lifecycle

DRAINING = " - Waiting For ELB Connection Draining."
"""What AWS adds to the description of an activity while a target drains."""

NEVER_HEALTHY = "Instance became unhealthy while waiting for instance to be in InService state."


def details_of(member: Member) -> dict[str, str]:
    """The ``Details`` of an activity about ``member``."""
    return {"Availability Zone": member.availability_zone}


def begin_termination(group: Group, member: Member, cause: str, now: float) -> Activity:
    """Take ``member`` out of service for good; controllers do the rest. A running launch is cancelled."""
    if member.activity is not None and member.activity.ended_at is None:
        if member.launching and member.unhealthy:
            cancel_launch(member, NEVER_HEALTHY, now)
        else:
            member.activity.end(Status.CANCELLED if member.launching else Status.SUCCESSFUL, now)
    member.state = Lifecycle.TERMINATING
    member.action = None
    member.activity = group.start_activity(
        f"Terminating EC2 instance: {member.instance_id}", cause, Status.IN_PROGRESS, now, details_of(member)
    )
    return member.activity


def cancel_launch(member: Member, why: str, now: float) -> None:
    """The launch ends without an instance in service: AWS repeats the reason in description and message."""
    assert member.activity is not None
    member.activity.description += f".  Status Reason: {why}"
    member.activity.end(Status.CANCELLED, now, why)


def begin_action(member: Member, hook: LifecycleHook, now: float) -> None:
    """``hook`` holds ``member`` in its Wait state until completed or timed out."""
    launching = hook.transition is Transition.LAUNCHING
    member.state = Lifecycle.PENDING_WAIT if launching else Lifecycle.TERMINATING_WAIT
    member.action = OpenAction(
        hook.name,
        str(uuid.uuid4()),
        hook.transition,
        hook.default_result,
        hook.heartbeat_timeout,
        times_out_at=now + hook.heartbeat_timeout,
        ends_at=now + hook.global_timeout,
    )
    if member.activity is not None:
        member.activity.status = Status.MID_LIFECYCLE_ACTION


def end_action(group: Group, member: Member, result: str, words: str, at: datetime, now: float) -> None:
    """``result`` is CONTINUE or ABANDON; ``words`` say how it came; ``at`` is the real time of ``now``.

    AWS: an ABANDON while launching terminates the instance; while terminating it only skips the remaining hooks.
    """
    action = member.action
    assert action is not None
    member.action = None
    member.hooks_passed.add(action.hook_name)
    if action.transition is Transition.TERMINATING:
        member.no_more_hooks = result == "ABANDON"
        member.state = Lifecycle.TERMINATING_PROCEED
    elif result == "CONTINUE":
        member.state = Lifecycle.PENDING_PROCEED
    else:
        cancel_launch(
            member,
            "Instance failed to complete user's Lifecycle Action: "
            f"Lifecycle Action with token {action.token} was abandoned: {words}",
            now,
        )
        begin_termination(group, member, causes.sentence(at, causes.ABANDONED), now)
        return
    if member.activity is not None:
        member.activity.status = Status.PRE_IN_SERVICE if member.launching else Status.IN_PROGRESS
